package widgets

import "testing"

// TestAWideLetterIsNotCovered looks for a ground behind or beside a Chinese letter:
// the grid would draw that of the second cell over half of it.
func TestAWideLetterIsNotCovered(t *testing.T) {
	rows := DiffRows([]DiffLine{{Kind: DiffAdded, New: 1, Text: "name = 鸭塘", Marks: []Span{{From: 7, To: 9}}}})
	if rows[0].Style.BackgroundColor() != nil {
		t.Error("the row has a ground, which covers every cell")
	}
	wide := 0
	for i, c := range rows[0].Cells {
		if !isWide(c.Rune) {
			continue
		}
		wide++
		for _, cell := range rows[0].Cells[i : i+2] {
			if cell.Style.BackgroundColor() != nil {
				t.Errorf("the cell %d of %q has a ground", i, c.Rune)
			}
		}
		if c.Style.TextColor() == rows[0].Cells[0].Style.TextColor() {
			t.Error("the letter does not tell that it was added")
		}
	}
	if wide != 2 {
		t.Errorf("%d wide letters, want 2", wide)
	}
}
