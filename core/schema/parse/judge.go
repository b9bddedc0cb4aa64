package parse

import (
	"regexp"
	"strconv"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the values of literals, which the parser leaves to its user

	"moult/core/schema"
)

// judge asks TiDB's own grammar about definitions for TiDB. Of MySQL and
// MariaDB it knows too little, and leaves out silently what it does not know;
// for TiDB it is the server's word.
type judge struct {
	parser *parser.Parser
}

// judged are the definitions that TiDB has and that the model holds.
var judged = map[string]map[string]bool{
	"CREATE": {"TABLE": true, "INDEX": true, "VIEW": true, "SEQUENCE": true},
	"ALTER":  {"TABLE": true},
}

// check stops a statement that TiDB would refuse.
func (j *judge) check(c *cursor) {
	if c.fl.Vendor != schema.TiDB || !c.makes(judged[c.st.Verb]) {
		return
	}
	if j.parser == nil {
		j.parser = parser.New()
	}
	var m mysql.SQLMode
	if c.mode.ansiQuotes {
		m |= mysql.ModeANSIQuotes
	}
	if c.mode.noBackslash {
		m |= mysql.ModeNoBackslashEscapes
	}
	j.parser.SetSQLMode(m)
	if _, _, err := j.parser.ParseSQL(c.blanked()); err != nil {
		at, ok := c.offset(err)
		if !ok {
			panic(c.errorAt(0, "TiDB refuses this: "+err.Error()))
		}
		panic(c.errorAt(at, "TiDB can't read this"))
	}
}

// makes reports whether the statement is about one of the kinds of object.
func (c *cursor) makes(kinds map[string]bool) bool {
	for _, t := range c.toks {
		if t.kind == word && kinds[t.upper] {
			return true
		}
		if t.matches("(") {
			break
		}
	}
	return false
}

// blanked returns the statement with blanks for everything that is no token, so
// that what stands in comments is out of the way and places stay the same.
func (c *cursor) blanked() string {
	b := []byte(c.st.Text)
	at := 0
	blank := func(to int) {
		for ; at < to; at++ {
			if b[at] != '\n' {
				b[at] = ' '
			}
		}
	}
	for _, t := range c.toks {
		blank(t.start)
		at = t.end
	}
	return string(b)
}

// tidbPlace is where the parser's messages say that they mean.
var tidbPlace = regexp.MustCompile(`^line (\d+) column (\d+) near`)

// offset returns the place in the statement that a message of TiDB's means, if
// it means one. It counts lines from 1 and columns in bytes, to the end of the
// token in question.
func (c *cursor) offset(err error) (at int, ok bool) {
	m := tidbPlace.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, false
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	for ; line > 1 && at < len(c.st.Text); at++ {
		if c.st.Text[at] == '\n' {
			line--
		}
	}
	at = min(at+column, len(c.st.Text))
	before := 0
	for _, t := range c.toks {
		if t.start >= at {
			break
		}
		before = t.start
	}
	return before, true
}
