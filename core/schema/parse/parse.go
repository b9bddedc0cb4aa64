package parse

import (
	"io"
	"strings"

	"moult/core/schema"
)

// Text reads the definitions in sql. The name stands for the source in
// positions and errors; fl says which server's words count, in version
// comments and in what a word means. What can't be read is an *Error.
func Text(name, sql string, fl schema.Flavor) (*schema.Schema, error) {
	return File(name, strings.NewReader(sql), fl)
}

// File is Text for a stream. Rows are passed over without being held in memory.
// Errors of r come back wrapped with the name.
func File(name string, r io.Reader, fl schema.Flavor) (*schema.Schema, error) {
	rd := newReader(name, r, fl)
	for {
		st, err := rd.split.Next()
		if err == io.EOF {
			return rd.finish()
		}
		if err != nil {
			return nil, err
		}
		if err := rd.read(st); err != nil {
			return nil, err
		}
	}
}

// Expr returns an expression as written and in the form used to compare: equal
// forms mean equal expressions, different ones may still mean the same.
func Expr(raw string, fl schema.Flavor) schema.Expr {
	return schema.Expr{Raw: raw, Canon: schema.CanonicalExpr(raw)}
}
