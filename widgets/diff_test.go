package widgets

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plain writes lines as a person reads them; «» mark what differs within a line.
func plain(lines []DiffLine) string {
	var b strings.Builder
	for _, l := range lines {
		runes := []rune(l.Text)
		text, at := "", 0
		for _, m := range l.Marks {
			text += string(runes[at:m.From]) + "«" + string(runes[m.From:m.To]) + "»"
			at = m.To
		}
		text += string(runes[at:])
		switch l.Kind {
		case DiffGap:
			b.WriteString("...\n")
		default:
			fmt.Fprintf(&b, "%d %d %s%s\n", l.Old, l.New, diffLooks[l.Kind].sign, text)
		}
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"added", "a\n", "a\nb\n", "1 1  a\n0 2 +b\n"},
		{"new file", "", "a\nb\n", "0 1 +a\n0 2 +b\n"},
		{"removed file", "a\n", "", "1 0 -a\n"},
		{"a word", "the old pond\n", "the new pond\n", "1 0 -the «old» pond\n0 1 +the «new» pond\n"},
		{"letters of many bytes", "name = '鸭塘'\n", "name = '池塘'\n", "1 0 -name = '«鸭塘»'\n0 1 +name = '«池塘»'\n"},
		{"nothing alike", "alpha beta\n", "gamma\n", "1 0 -alpha beta\n0 1 +gamma\n"},
		{"line ends of Windows", "a\r\nb\r\n", "a\r\nc\r\n", "1 1  a\n2 0 -b\n0 2 +c\n"},
		{"without a last line end", "a\nb", "a\nc", "1 1  a\n2 0 -b\n0 2 +c\n"},
		{"far apart", "x\n1\n2\n3\n4\n5\ny\n", "X\n1\n2\n3\n4\n5\nY\n", "1 0 -x\n0 1 +X\n2 2  1\n...\n6 6  5\n7 0 -y\n0 7 +Y\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := plain(Diff(c.before, c.after, 1)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestADiffWithAllLinesHoldsBothTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(append(rapid.SliceOfN(rapid.StringMatching(`[ab ]{0,3}`), 0, 12).Draw(t, "lines"), ""), "\n")
		})
		before, after := text.Draw(t, "before"), text.Draw(t, "after")
		var old, new strings.Builder
		lines := Diff(before, after, 1<<20)
		for _, l := range lines {
			if l.Old > 0 {
				old.WriteString(l.Text + "\n")
			}
			if l.New > 0 {
				new.WriteString(l.Text + "\n")
			}
			for _, m := range l.Marks {
				if m.From < 0 || m.To > len([]rune(l.Text)) || m.From >= m.To {
					t.Fatalf("mark %v lies outside of %q", m, l.Text)
				}
			}
		}
		if before == after {
			if len(lines) != 0 {
				t.Fatalf("equal texts differ: %v", lines)
			}
			return
		}
		if old.String() != before || new.String() != after {
			t.Fatalf("got %q and %q of %q and %q", old.String(), new.String(), before, after)
		}
	})
}

func TestLongLinesAreCutAndWideLettersTakeTwoCells(t *testing.T) {
	rows := DiffRows([]DiffLine{{Kind: DiffAdded, New: 1, Text: "鸭\tx" + strings.Repeat("y", 3*maxColumns)}})
	cells := rows[0].Cells
	if len(cells) != maxColumns+1 || cells[len(cells)-1].Rune != '…' {
		t.Errorf("%d cells that end in %q", len(cells), cells[len(cells)-1].Rune)
	}
	for i, c := range cells {
		if c.Rune == '鸭' && cells[i+1].Rune != ' ' {
			t.Errorf("a wide letter is followed by %q", cells[i+1].Rune)
		}
	}
}

func TestHighlightKeepsTheText(t *testing.T) {
	start(t)
	sql := "ALTER TABLE `users`\n\tADD COLUMN x varchar(16) DEFAULT 'a''b' -- why\n"
	v := NewSQLView()
	v.Set(Highlight(sql))
	if got, want := v.Text(), "ALTER TABLE `users`\n    ADD COLUMN x varchar(16) DEFAULT 'a''b' -- why"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if style := Highlight(sql)[0].Cells[0].Style; style == plainSQL {
		t.Error("a keyword is not coloured")
	}
}
