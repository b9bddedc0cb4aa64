package app

import (
	"net/url"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/update"
)

// maxNotes is how much Markdown is shown, in bytes; laying out a megabyte would
// hold the window up for a second.
const maxNotes = 256 << 10

// notesView is the tab with the notes of every release up to the target.
type notesView struct {
	text   *widget.RichText
	page   *page
	empty  *fyne.Container
	scroll *container.Scroll
	object fyne.CanvasObject
	shown  string
}

func newNotesView(p *page) *notesView {
	v := &notesView{page: p, text: widget.NewRichText(), empty: container.NewStack()}
	v.text.Wrapping = fyne.TextWrapWord
	v.scroll = container.NewVScroll(v.text)
	v.object = container.NewStack(v.scroll, v.empty)
	return v
}

// render shows the notes of a model's plan or offer.
func (v *notesView) render(m Model) {
	var notes []update.Note
	switch {
	case m.Plan != nil && len(m.Plan.Notes) > 0:
		notes = m.Plan.Notes
	case m.Offer != nil:
		notes = m.Offer.Notes
	}
	setShown(v.scroll, len(notes) > 0)
	if setShown(v.empty, len(notes) == 0); len(notes) == 0 {
		v.empty.Objects = []fyne.CanvasObject{nothingToReview(v.page, m, lang.L("No notes"), lang.L("The notes of new releases are here once an update is found."))}
	}
	markdown := joinNotes(notes)
	if markdown == v.shown {
		return
	}
	v.shown = markdown
	v.text.Segments = aired(Sanitise(markdown))
	v.text.Refresh()
	v.scroll.ScrollToTop()
}

// aired puts an empty line before every heading but the first, which Fyne sets as
// close to what is above it as to what it heads.
func aired(in []widget.RichTextSegment) []widget.RichTextSegment {
	out := make([]widget.RichTextSegment, 0, len(in))
	for i, s := range in {
		if text, ok := s.(*widget.TextSegment); ok && i > 0 && isHeading(text.Style) {
			if _, first := out[len(out)-1].(*widget.SeparatorSegment); !first {
				out = append(out, &widget.TextSegment{Style: widget.RichTextStyle{SizeName: theme.SizeNameCaptionText}})
			}
		}
		out = append(out, s)
	}
	return out
}

func isHeading(s widget.RichTextStyle) bool {
	return !s.Inline && (s.SizeName == theme.SizeNameHeadingText || s.SizeName == theme.SizeNameSubHeadingText || s.TextStyle.Bold)
}

// joinNotes puts the notes below each other, each under its version.
func joinNotes(notes []update.Note) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString("# " + n.Version.String())
		if !n.Released.IsZero() {
			b.WriteString("   ·   " + dateText(n.Released))
		}
		b.WriteString("\n\n")
		b.WriteString(demote(n.Markdown))
		b.WriteString("\n\n")
		if b.Len() > maxNotes {
			b.WriteString("\n\n…\n")
			break
		}
	}
	return b.String()
}

// demote lowers headings by one level, so that those of the publisher stand
// below the version, and drops a first heading that only repeats it. Fenced code
// is left as it is.
func demote(markdown string) string {
	if len(markdown) > maxNotes {
		markdown = strings.ToValidUTF8(markdown[:maxNotes], "")
	}
	lines := strings.Split(strings.ReplaceAll(markdown, "\r\n", "\n"), "\n")
	fenced := false
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			fenced = !fenced
		}
		if !fenced && strings.HasPrefix(l, "#") {
			lines[i] = "#" + l
		}
	}
	return strings.Join(lines, "\n")
}

// Sanitise turns a publisher's Markdown into text that fetches nothing and leads
// nowhere but to https addresses: images become their description, and a link
// with any other scheme becomes its text.
func Sanitise(markdown string) []widget.RichTextSegment {
	return sanitised(widget.NewRichTextFromMarkdown(withoutImages(markdown)).Segments)
}

// withoutImages takes the exclamation mark from every image, which makes a link
// of it, because Fyne begins to fetch an image as soon as it has parsed it.
// Escaped marks and code are hit too: there a "![" becomes "[", which harms nobody.
func withoutImages(markdown string) string { return strings.ReplaceAll(markdown, "![", "[") }

func sanitised(in []widget.RichTextSegment) []widget.RichTextSegment {
	out := make([]widget.RichTextSegment, 0, len(in))
	for _, s := range in {
		switch s := s.(type) {
		case *widget.ImageSegment:
			continue
		case *widget.HyperlinkSegment:
			if !harmless(s.URL) {
				out = append(out, &widget.TextSegment{Style: widget.RichTextStyleInline, Text: s.Text})
				continue
			}
			out = append(out, s)
		case *widget.ListSegment:
			s.Items = sanitised(s.Items)
			out = append(out, s)
		case *widget.ParagraphSegment:
			s.Texts = sanitised(s.Texts)
			out = append(out, s)
		default:
			out = append(out, s)
		}
	}
	return out
}

// harmless reports whether a link may be opened.
func harmless(u *url.URL) bool {
	return u != nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}
