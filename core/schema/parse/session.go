package parse

import "strings"

// session is what SET statements have said so far, as far as it changes how the
// text is read or belongs to what is created.
type session struct {
	values map[string]string // of system variables, by lower-case name
	saved  map[string]string // of user variables, which dumps save values in
	mode   mode
}

func newSession() session {
	return session{values: map[string]string{}, saved: map[string]string{}}
}

// set reads SET ….
func (r *reader) set(c *cursor) {
	c.expect("SET")
	s := &r.session
	if c.is("STATEMENT") {
		r.setStatement(c)
		return
	}
	if c.is("PASSWORD") || c.is("ROLE") || c.is("DEFAULT", "ROLE") || c.is("TRANSACTION") || c.is("RESOURCE") {
		return
	}
	if c.accept("NAMES") || c.accept("CHARACTER", "SET") || c.accept("CHARSET") {
		name := strings.ToLower(c.charsetName())
		s.values["character_set_client"] = name
		s.values["collation_connection"] = ""
		if c.accept("COLLATE") {
			s.values["collation_connection"] = strings.ToLower(c.charsetName())
		}
	} else {
		r.assign(c)
	}
	for c.tok().kind != end {
		for c.tok().kind != end && !c.is(",") {
			if c.is("(") {
				c.parens()
				continue
			}
			c.i++
		}
		if c.accept(",") {
			r.assign(c)
		}
	}
	s.mode = readMode(s.values["sql_mode"])
	r.split.mode = s.mode
}

// setStatement reads MariaDB's SET STATEMENT … FOR …, which runs a statement
// with other settings.
func (r *reader) setStatement(c *cursor) {
	for ; c.tok().kind != end; c.i++ {
		if !c.is("FOR") {
			continue
		}
		c.i++
		switch {
		case c.is("CREATE"):
			r.create(c)
		case c.is("ALTER"):
			r.alter(c)
		case c.is("DROP"):
			r.drop(c)
		case c.is("RENAME"):
			r.rename(c)
		case !passedOver[c.tok().upper]:
			r.unknowable(c)
		}
		return
	}
}

// assign reads one assignment. A value that is no constant and no variable is
// not followed.
func (r *reader) assign(c *cursor) {
	s := &r.session
	user, name, ok := c.variable()
	if !ok || !(c.accept("=") || c.accept(":=")) {
		return
	}
	value, known := "", true
	switch t := c.tok(); {
	case t.kind == str:
		value = c.string(name)
	case c.is("@"):
		fromUser, from, ok := c.variable()
		switch known = ok; {
		case fromUser:
			value = s.saved[from]
		default:
			value = s.values[from]
		}
	case t.kind == word || t.kind == number || t.kind == quoted:
		value = c.next().text
	default:
		known = false
	}
	if !known || c.tok().kind != end && !c.is(",") {
		return
	}
	if user {
		s.saved[name] = value
	} else {
		s.values[name] = strings.ToLower(value)
		if name == "sql_mode" {
			s.values[name] = strings.ToUpper(value)
		}
	}
}

// variable reads the name of a variable; user tells @x from system variables.
func (c *cursor) variable() (user bool, name string, ok bool) {
	if c.accept("@") {
		if !c.accept("@") {
			if !c.isName() && c.tok().kind != str {
				return true, "", false
			}
			name = strings.ToLower(c.next().text)
			for c.accept(".") {
				name += "." + strings.ToLower(c.next().text)
			}
			return true, name, true
		}
	}
	if c.acceptAny("GLOBAL", "SESSION", "LOCAL", "PERSIST") != "" {
		c.accept(".")
	}
	if !c.isName() {
		return false, "", false
	}
	return false, strings.ToLower(c.next().text), true
}

// readMode returns the part of an sql_mode that changes how text is read.
func readMode(value string) mode {
	var m mode
	for _, w := range strings.Split(value, ",") {
		switch strings.TrimSpace(w) {
		case "ANSI_QUOTES":
			m.ansiQuotes = true
		case "NO_BACKSLASH_ESCAPES":
			m.noBackslash = true
		case "REAL_AS_FLOAT":
			m.realAsFloat = true
		case "PIPES_AS_CONCAT":
			m.pipesConcat = true
		case "ANSI":
			m.ansiQuotes, m.realAsFloat, m.pipesConcat = true, true, true
		case "ORACLE", "MSSQL", "DB2", "POSTGRESQL", "MAXDB":
			m.ansiQuotes, m.pipesConcat = true, true
		}
	}
	return m
}
