package widgets

import (
	"strings"
	"unicode"

	"github.com/aymanbagabas/go-udiff"
)

// DiffKind tells the lines of a diff apart.
type DiffKind int

// The kinds of line.
const (
	DiffSame DiffKind = iota
	DiffAdded
	DiffRemoved
	DiffGap // lines that are the same were left out here
)

// DiffLine is one line of a unified diff.
type DiffLine struct {
	Kind     DiffKind
	Old, New int // line numbers from 1; 0 where the line is not in that text
	Text     string
	// Marks are the parts of a changed line that differ from its counterpart,
	// in runes. None means that the whole line differs.
	Marks []Span
}

// Span is a half-open range.
type Span struct{ From, To int }

// Limits of what is compared word by word: beyond them a line is only marked as a whole.
const (
	maxMarkedLine  = 2000 // runes
	maxMarkedGroup = 200  // lines removed and added in one place
)

// Diff compares two texts by lines and returns what differs with context lines
// around it. Equal texts give nothing. It may run on any goroutine.
func Diff(before, after string, context int) []DiffLine {
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), context)
	if err != nil || len(u.Hunks) == 0 {
		return nil
	}
	var lines []DiffLine
	for _, h := range u.Hunks {
		if h.FromLine > 1 || h.ToLine > 1 {
			lines = append(lines, DiffLine{Kind: DiffGap, Old: h.FromLine, New: h.ToLine})
		}
		old, new := h.FromLine, h.ToLine
		start := len(lines)
		for _, l := range h.Lines {
			d := DiffLine{Text: strings.TrimRight(l.Content, "\r\n")}
			switch l.Kind {
			case udiff.Delete:
				d.Kind, d.Old = DiffRemoved, old
				old++
			case udiff.Insert:
				d.Kind, d.New = DiffAdded, new
				new++
			default:
				d.Old, d.New = old, new
				old++
				new++
			}
			lines = append(lines, d)
		}
		markHunk(lines[start:])
	}
	return lines
}

// markHunk marks the differing words where removed lines are followed by added
// ones: the first of these is the counterpart of the first of those, and so on.
func markHunk(lines []DiffLine) {
	for i := 0; i < len(lines); {
		removed := run(lines[i:], DiffRemoved)
		added := run(lines[i+removed:], DiffAdded)
		if removed > 0 && added > 0 && removed <= maxMarkedGroup && added <= maxMarkedGroup {
			for k := range min(removed, added) {
				markPair(&lines[i+k], &lines[i+removed+k])
			}
		}
		i += max(removed+added, 1)
	}
}

// run counts the lines of one kind at the start.
func run(lines []DiffLine, kind DiffKind) int {
	n := 0
	for n < len(lines) && lines[n].Kind == kind {
		n++
	}
	return n
}

// markPair marks the words that differ between two lines, unless so little is
// alike that marks would only be noise.
func markPair(old, new *DiffLine) {
	a, b := words(old.Text), words(new.Text)
	if len(old.Text) > maxMarkedLine || len(new.Text) > maxMarkedLine || old.Text == new.Text {
		return
	}
	keptA, keptB := common(a, b)
	same := 0
	for i, w := range a {
		if keptA[i] && strings.TrimSpace(w) != "" {
			same += len(w)
		}
	}
	if same*3 < min(len(old.Text), len(new.Text)) {
		return
	}
	old.Marks, new.Marks = spans(a, keptA), spans(b, keptB)
}

// words splits a line into words, blanks and single signs.
func words(s string) []string {
	var out []string
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	start, last := 0, -1
	for i, r := range s {
		k := kind(r)
		if i > start && (k != last || k == 0) {
			out = append(out, s[start:i])
			start = i
		}
		last = k
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// common finds a longest common subsequence of words and reports which words of
// each side belong to it.
func common(a, b []string) (inA, inB []bool) {
	inA, inB = make([]bool, len(a)), make([]bool, len(b))
	if len(a)*len(b) > 1<<20 {
		return inA, inB
	}
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				best[i][j] = best[i+1][j+1] + 1
			} else {
				best[i][j] = max(best[i+1][j], best[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			inA[i], inB[j] = true, true
			i++
			j++
		case best[i+1][j] >= best[i][j+1]:
			i++
		default:
			j++
		}
	}
	return inA, inB
}

// spans joins the words that are not kept into ranges of runes.
func spans(words []string, kept []bool) []Span {
	var out []Span
	at := 0
	for i, w := range words {
		n := len([]rune(w))
		if !kept[i] {
			if len(out) > 0 && out[len(out)-1].To == at {
				out[len(out)-1].To = at + n
			} else {
				out = append(out, Span{at, at + n})
			}
		}
		at += n
	}
	return out
}
