package app

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"moult/core/update"
)

// flatten lists the segments of a text with those inside others.
func flatten(segments []widget.RichTextSegment) []widget.RichTextSegment {
	var out []widget.RichTextSegment
	for _, s := range segments {
		out = append(out, s)
		switch s := s.(type) {
		case *widget.ListSegment:
			out = append(out, flatten(s.Items)...)
		case *widget.ParagraphSegment:
			out = append(out, flatten(s.Texts)...)
		}
	}
	return out
}

func TestNotesFetchNothingAndLeadOnlyToHTTPS(t *testing.T) {
	test.NewTempApp(t)
	for _, c := range []struct{ markdown, text, link string }{
		{"![pixel](http://tracker.example.org/p.png)", "pixel", ""},
		{"![pixel](https://tracker.example.org/p.png)", "pixel", "https://tracker.example.org/p.png"},
		{"* item ![x](file:///etc/passwd)", "x", ""},
		{"[click](file:///etc/passwd)", "click", ""},
		{"[click](javascript:alert(1))", "click", ""},
		{"[click](http://example.org/)", "click", ""},
		{"[click](https://user:pw@example.org/)", "click", ""},
		{"[manual](https://example.org/manual)", "manual", "https://example.org/manual"},
		{"> * **a** [b](ftp://example.org)", "b", ""},
		{"[![img](http://a/b.png)](https://example.org)", "", ""},
		{"![ref][1]\n\n[1]: http://tracker.example.org/p.png", "ref", ""},
	} {
		text, links := "", []string{}
		for _, s := range flatten(Sanitise(c.markdown)) {
			switch s := s.(type) {
			case *widget.ImageSegment:
				t.Errorf("%s: an image is left", c.markdown)
			case *widget.HyperlinkSegment:
				links = append(links, s.URL.String())
				text += s.Text
				if s.URL.Scheme != "https" {
					t.Errorf("%s: a link to %s is left", c.markdown, s.URL)
				}
			case *widget.TextSegment:
				text += s.Text
			}
		}
		if !strings.Contains(text, c.text) {
			t.Errorf("%s: the text %q lacks %q", c.markdown, text, c.text)
		}
		if c.link != "" && (len(links) != 1 || links[0] != c.link) {
			t.Errorf("%s: links %v, want %s", c.markdown, links, c.link)
		}
	}
}

func TestNotesOfEachReleaseStandUnderItsVersion(t *testing.T) {
	got := joinNotes([]update.Note{
		{Version: version("1.5.0"), Markdown: "# Duckpond 1.5\n\n```\n# not a heading\n```"},
		{Version: version("1.4.3"), Markdown: "## Fixes"},
	})
	for _, want := range []string{"# 1.5.0", "## Duckpond 1.5", "\n# not a heading\n", "# 1.4.3", "### Fixes"} {
		if !strings.Contains(got, want) {
			t.Errorf("the notes lack %q:\n%s", want, got)
		}
	}
	if strings.Index(got, "1.5.0") > strings.Index(got, "1.4.3") {
		t.Error("the newest release is not first")
	}
}

func BenchmarkNotes50KB(b *testing.B) {
	w := newBench(b, wiki())
	m := found()
	var text strings.Builder
	for i := 0; text.Len() < 50<<10; i++ {
		fmt.Fprintf(&text, "## Part %d\n\n* one **bold** word\n* a [link](https://example.org/%d)\n\nA paragraph of some length that says what has changed and why one would care.\n\n", i, i)
	}
	m.Offer.Notes = []update.Note{{Version: version("1.5.0"), Markdown: text.String()}}
	for b.Loop() {
		w.page().notes.render(m)
		w.page().tabs.Select(tabNotes)
	}
}

func FuzzSanitise(f *testing.F) {
	for _, s := range []string{"![a](http://b)", "[a](file:///)", "* ![x][y]\n\n[y]: http://z", "<img src=http://a>", "[![a](b)](c)", "# x\n> ![q](\"w\")"} {
		f.Add(s)
	}
	test.NewApp()
	f.Fuzz(func(t *testing.T, markdown string) {
		for _, s := range flatten(Sanitise(markdown)) {
			switch s := s.(type) {
			case *widget.ImageSegment:
				t.Fatalf("an image is left of %q", markdown)
			case *widget.HyperlinkSegment:
				if s.URL == nil || s.URL.Scheme != "https" {
					t.Fatalf("a link to %v is left of %q", s.URL, markdown)
				}
			}
		}
	})
}
