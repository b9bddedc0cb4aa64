package parse

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// pieces splits a source with a buffer that is read in portions of any size.
func pieces(r io.Reader, buffer int, keep bool) ([]string, error) {
	s := NewSplitter("", r)
	s.buf = make([]byte, 0, buffer)
	s.KeepRows = keep
	var all []string
	for {
		st, err := s.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, fmt.Sprintf("%d:%d %s %s", st.Pos.Line, st.Pos.Column, st.Verb, st.Text))
	}
}

func TestSplitterGivesTheSameWhateverTheBuffer(t *testing.T) {
	sources := []string{}
	for _, c := range readConstructs(t) {
		if c.file == "statements.txt" {
			sources = append(sources, c.sql)
		}
	}
	rows, err := io.ReadAll(io.LimitReader(newDump(1<<20), 3000))
	if err != nil {
		t.Fatal(err)
	}
	sources = append(sources, string(rows), strings.Join(sources[:40], ";\n"))
	for _, sql := range sources {
		for _, keep := range []bool{true, false} {
			want, wantErr := pieces(strings.NewReader(sql), 1<<20, keep)
			for _, size := range []int{1, 2, 3, 5, 8, 13, 64, 511, 512} {
				got, err := pieces(iotest.OneByteReader(strings.NewReader(sql)), size, keep)
				if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) {
					t.Fatalf("buffer %d, keep %v, %q\n got %q %v\nwant %q %v", size, keep, sql, got, err, want, wantErr)
				}
				got, err = pieces(strings.NewReader(sql), size, keep)
				if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) {
					t.Fatalf("buffer %d, keep %v, %q\n got %q %v\nwant %q %v", size, keep, sql, got, err, want, wantErr)
				}
			}
		}
	}
}
