package parse

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"moult/core/schema"
)

func TestBadInputNamesPlaceAndCause(t *testing.T) {
	deep := strings.Repeat("(", 100_000)
	for _, c := range []struct {
		name, sql string
		place     string // "line:column"
		reason    string
	}{
		{"not SQL", "<html><body>404 Not Found</body></html>", "1:1", "this is no SQL statement"},
		{"a PDF", "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", "1:1", "this is no SQL statement"},
		{"a program", "package main\n\nfunc main() {}\n", "1:1", "PACKAGE is no statement"},
		{"UTF-16", "\xff\xfeC\x00R\x00E\x00", "1:1", "UTF-16"},
		{"UTF-16 of the other order", "\xfe\xff\x00C\x00R\x00E", "1:1", "UTF-16"},
		{"zeros", "\x00\x00\x00\x00CREATE", "1:1", "a zero byte"},
		{"a zero inside", "CREATE TABLE t (a int,\n \x00b int)", "2:2", "a zero byte"},
		{"nothing behind CREATE", "CREATE OR REPLACE", "1:18", "ends behind CREATE"},
		{"Latin-1 names", "CREATE TABLE gr\xf6\xdfe (a int)", "1:14", "is not UTF-8"},
		{"cut in a name", "CREATE TABLE `t", "1:14", "the quote ` is not closed"},
		{"cut in a text", "CREATE TABLE t (\n  a int COMMENT 'x", "2:17", "the quote ' is not closed"},
		{"cut behind a backslash", `CREATE TABLE t (a int COMMENT 'x\`, "1:31", "the quote ' is not closed"},
		{"cut in a comment", "CREATE TABLE t (a int);\n/* the rest", "2:1", "a comment /* is not closed"},
		{"cut in a version comment", "CREATE TABLE t (a int) /*!50100 PARTITION", "1:1", "a version comment /*! is not closed"},
		{"cut in a list", "CREATE TABLE t (\n  a int,\n", "2:9", "the name of a column is expected"},
		{"cut in an expression", "CREATE TABLE t (a int, CHECK (a > (1 + 2)", "1:30", "this parenthesis is not closed"},
		{"cut in a body", "CREATE PROCEDURE p()\nBEGIN\n  IF 1 THEN SELECT 1; END IF;\n", "1:1", "BEGIN has no END"},
		{"an unbalanced quote", "CREATE TABLE t (a int DEFAULT 'x);\nCREATE TABLE u (a int DEFAULT 'y');", "2:33", "the quote ' is not closed"},
		{"too many parentheses", "CREATE TABLE t (a int, CHECK " + deep, "1:30", "this parenthesis is not closed"},
		{"a table of parentheses", "CREATE TABLE t " + deep, "1:17", "the name of a column is expected"},
		{"no columns", "CREATE TABLE t ()", "1:16", "table t has no columns"},
		{"only keys", "CREATE TABLE t (KEY (a))", "1:16", "table t has no columns"},
		{"a comma too many", "CREATE TABLE t (a int,)", "1:23", "the name of a column is expected"},
		{"a comma too few", "CREATE TABLE t (\n  a int\n  b int\n)", "3:3", "a comma or the closing parenthesis"},
		{"no delimiter", "CREATE TABLE t (a int)\nCREATE TABLE u (a int);", "2:1", "this is not understood"},
		{"an empty delimiter", "DELIMITER\nCREATE TABLE t (a int)", "1:1", "DELIMITER wants"},
		{"a number too large", "CREATE TABLE t (a varchar(99999999999999999999))", "1:27", "a whole number"},
		{"a definition without measure", "CREATE TABLE t (a int COMMENT '" + strings.Repeat("x", MaxDefinition) + "')", "1:1", "longer than 8 MiB"},
		{"another file", `\. other.sql`, "1:1", "reads another file"},
		{"a bad byte in a literal", "CREATE TABLE t (a int DEFAULT x'6g')", "1:34", "not a hexadecimal digit"},
	} {
		s, err := Text("f.sql", c.sql, schema.DefaultMariaDB)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: read as %v, error %v", c.name, s, err)
			continue
		}
		if !strings.HasPrefix(e.Error(), "f.sql:"+c.place+": ") || !strings.Contains(e.Reason, c.reason) {
			t.Errorf("%s: %v\nwant %s … %s", c.name, e, c.place, c.reason)
		}
		if len([]rune(e.Near)) > 61 {
			t.Errorf("%s: the words around are %d characters", c.name, len(e.Near))
		}
	}
}

func TestDeepExpressionsAreRead(t *testing.T) {
	const n = 100_000
	sql := "CREATE TABLE t (a int, CHECK (" + strings.Repeat("(", n) + "a > 0" + strings.Repeat(")", n) + "))"
	s, err := Text("", sql, schema.DefaultMariaDB)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Tables[0].Checks[0].Expr.Raw); got != 2*n+5 {
		t.Errorf("the expression is %d bytes", got)
	}
}

func TestOddBlanksAreBlanks(t *testing.T) {
	want, err := Text("", "CREATE TABLE t (\n a int NOT NULL,\n b varchar(5)\n);\nUSE d\nCREATE TABLE u (a int)", schema.DefaultMariaDB)
	if err != nil {
		t.Fatal(err)
	}
	for name, sql := range map[string]string{
		"CRLF":                "CREATE TABLE t (\r\n a int NOT NULL,\r\n b varchar(5)\r\n);\r\nUSE d\r\nCREATE TABLE u (a int)\r\n",
		"BOM":                 "\ufeffCREATE TABLE t (a int NOT NULL, b varchar(5)); USE d; CREATE TABLE u (a int)",
		"ideographic space":   "\u3000CREATE\u3000TABLE t (\u3000a int NOT NULL,\u3000b\u3000varchar(5)\u3000);\u3000USE d;\nCREATE TABLE u (a\u3000int)",
		"no-break space":      "\u00a0CREATE TABLE\u00a0t (a\u00a0int NOT NULL, b varchar(5)); USE d; CREATE TABLE u (a int)",
		"tabs and form feeds": "\t\fCREATE\tTABLE\ft(a\tint\vNOT NULL,b varchar(5));USE d;CREATE TABLE u(a int)",
		"comments for blanks": "CREATE/**/TABLE/* x */t(a/**/int NOT/**/NULL,b varchar(5));USE d;CREATE TABLE u(a#\nint)",
		"no delimiter at all": "USE d\nCREATE TABLE u (a int)",
	} {
		got, err := Text("", sql, schema.DefaultMariaDB)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if describe(got) != describe(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, describe(got), describe(want))
		}
	}
}

func TestFailingReaderIsNoEndOfTheSource(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, sql := range []string{"", "CREATE TABLE t (a int);", "CREATE TABLE t (a", "CREATE TABLE t (a int COMMENT 'x", "/* x", "CREATE TABLE t (a int /*! "} {
		_, err := File("f.sql", io.MultiReader(strings.NewReader(sql), iotest.ErrReader(broken)), schema.DefaultMariaDB)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "f.sql") {
			t.Errorf("%q: %v", sql, err)
		}
	}
	_, err := File("f.sql", stuck{}, schema.DefaultMariaDB)
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

// stuck is a reader that never gives anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestMemoryStaysFlatOverLongDumps(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	var most uint64
	watch := watched{Reader: newDump(size), each: int(size / 8), look: func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := File("dump", &watch, schema.DefaultMariaDB)
	if err != nil || len(s.Tables) != 1 {
		t.Fatal(s, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB over a dump of %d MiB", grown>>10, size>>20)
	}
}

// watched looks at something each time so many bytes have been read.
type watched struct {
	io.Reader
	each, read int
	look       func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.read += n; w.read >= w.each {
		w.read = 0
		w.look()
	}
	return n, err
}

func TestStatementWithoutEndIsGivenUp(t *testing.T) {
	endless := io.LimitReader(forever{}, 3*MaxStatement)
	_, err := File("f.sql", io.MultiReader(strings.NewReader("CREATE TABLE t (a int COMMENT '"), endless), schema.DefaultMariaDB)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Reason, "is longer than 64 MiB") || e.Pos.Line != 1 {
		t.Errorf("got %v", err)
	}
}

// forever is a reader of one letter.
type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestManyGoroutinesReadAtOnce(t *testing.T) {
	sql := manyTables(20)
	want := map[schema.Vendor]string{}
	for _, f := range flavors {
		s, err := Text("", sql, f.fl)
		if err != nil {
			t.Fatal(err)
		}
		want[f.fl.Vendor] = describe(s)
	}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			fl := flavors[i%len(flavors)].fl
			s, err := Text("", sql, fl)
			if err != nil {
				t.Error(err)
			} else if describe(s) != want[fl.Vendor] {
				t.Errorf("%s reads differently beside others", fl)
			}
		})
	}
	wg.Wait()
}

func TestHugeNumbersAreNotWrittenOut(t *testing.T) {
	s, err := Text("", "CREATE TABLE t (a int DEFAULT 1e999999999, b decimal(10,2) DEFAULT -1e-999999999)", schema.DefaultMariaDB)
	if err != nil {
		t.Fatal(err)
	}
	for _, col := range schema.Canonical(s, schema.DefaultMariaDB).Tables[0].Columns {
		if len(col.Default.Text) > 20 {
			t.Errorf("the default of %s has %d digits", col.Name, len(col.Default.Text))
		}
	}
}
