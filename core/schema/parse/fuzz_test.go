package parse

import (
	"errors"
	"io"
	"strings"
	"testing"

	"moult/core/schema"
)

// seeds are all constructs and some pieces of the wrong kind.
func seeds(f *testing.F) {
	for _, c := range readConstructs(f) {
		f.Add(c.sql)
	}
	for _, s := range []string{"", ";", "'", "`", "/*!", "/*M!", "--", "DELIMITER ;;\n;;", "USE", "USE `", "CREATE", "\\", "\xff\xfe", "\ufeff", "x'", "@renamed", "a..5", "1..2.3", ".5e+"} {
		f.Add(s)
	}
}

func FuzzSplitter(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		whole, wholeErr := pieces(strings.NewReader(sql), 1<<16, true)
		small, smallErr := pieces(strings.NewReader(sql), 1, true)
		if strings.Join(whole, "\x00") != strings.Join(small, "\x00") || (wholeErr == nil) != (smallErr == nil) {
			t.Fatalf("the buffer matters: %q %v, %q %v", whole, wholeErr, small, smallErr)
		}
		passed, passedErr := pieces(strings.NewReader(sql), 7, false)
		if len(passed) != len(whole) || (wholeErr == nil) != (passedErr == nil) {
			t.Fatalf("passing rows over matters: %q %v, %q %v", whole, wholeErr, passed, passedErr)
		}
	})
}

func FuzzLexer(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		for _, v := range flavors {
			for _, m := range []mode{{}, {ansiQuotes: true, noBackslash: true}} {
				toks, _, err := lex(sql, v.fl, m)
				if err != nil {
					if err.at < 0 || err.at > len(sql) {
						t.Fatalf("an error at %d of %d", err.at, len(sql))
					}
					continue
				}
				at := 0
				for i, tok := range toks {
					if tok.start < at || tok.end < tok.start || tok.end > len(sql) {
						t.Fatalf("token %d at %d to %d, after %d, of %d", i, tok.start, tok.end, at, len(sql))
					}
					if tok.start == tok.end && tok.kind != end {
						t.Fatalf("token %d is empty", i)
					}
					at = tok.end
				}
			}
		}
	})
}

func FuzzText(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		for _, v := range flavors {
			if v.fl.Vendor == schema.TiDB {
				continue // its grammar is not ours to test
			}
			s, err := Text("f", sql, v.fl)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("an error without a place: %v", err)
				}
				if e.Pos.Line < 1 || e.Pos.Column < 1 || e.Reason == "" || e.Pos.Line > strings.Count(sql, "\n")+1 {
					t.Fatalf("an odd error: %+v", e)
				}
				continue
			}
			for _, tb := range s.Tables {
				if tb.Name == "" || len(tb.Columns) == 0 {
					t.Fatalf("a table without a name or columns: %s", describe(s))
				}
				for _, c := range tb.Columns {
					if c.Type.Base == "" || c.OnUpdateNow < -1 || c.Collation == binaryAttribute {
						t.Fatalf("an unfinished column: %s", describe(s))
					}
				}
			}
			again, err := File("f", io.MultiReader(strings.NewReader(sql)), v.fl)
			if err != nil || describe(again) != describe(s) {
				t.Fatalf("read twice: %v\n%s\n%s", err, describe(s), describe(again))
			}
		}
	})
}
