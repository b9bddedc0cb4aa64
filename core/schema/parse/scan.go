package parse

import (
	"bytes"
	"io"
	"strings"

	"moult/core/schema"
)

// class says what a byte may begin in the text of a statement.
type class uint8

const (
	dull      class = iota
	quote           // ' " `
	slash           // a comment
	dash            // a comment
	hash            // a comment
	star            // the end of a version comment
	backslash       // \g
	letter          // of a word, only looked at in stored programs
)

// classes is what scan looks up for each byte.
var classes = func() (t [256]class) {
	for c := range 256 {
		if wordByte(byte(c)) {
			t[c] = letter
		}
	}
	t['\''], t['"'], t['`'] = quote, quote, quote
	t['/'], t['-'], t['#'], t['*'], t['\\'] = slash, dash, hash, star, backslash
	return t
}()

// scan moves s.i to the end of the statement that starts there: to its
// delimiter, or to the end of the source. When keep is false what was seen is
// forgotten, and memory stays flat however long the statement is.
func (s *Splitter) scan(pos schema.Pos, verb string, keep bool) error {
	var (
		body  *blocks // of CREATE and ALTER, which may hold statements inside
		open  bool    // in a version comment
		first = s.delimiter[0]
	)
	if verb == "CREATE" || verb == "ALTER" || verb == "BEGIN" {
		body = &blocks{verb: verb}
	}
	for {
		b, i := s.buf, s.i
		for i < len(b) && b[i] != first && b[i] != ';' && (classes[b[i]] == dull || body == nil && classes[b[i]] == letter) {
			if body != nil && b[i] > ' ' {
				body.mark(b[i])
			}
			i++
		}
		s.i = i
		if !keep {
			s.start = i
		}
		if !s.need(1) {
			return s.unfinished(pos, body, open)
		}
		c := s.buf[s.i]
		if (c == first || c == ';') && !open && s.ends(body) {
			return nil
		}
		switch classes[c] {
		case quote:
			if err := s.quoted(c, keep); err != nil {
				return err
			}
			if body != nil {
				body.mark('\'')
			}
		case slash:
			switch {
			case s.plainComment():
				if err := s.skipComment(); err != nil {
					return err
				}
			case s.need(2) && s.buf[s.i+1] == '*':
				open = true
				s.need(64)
				n, _ := versionComment(string(s.buf[s.i:min(len(s.buf), s.i+64)]), schema.Flavor{})
				s.i += n
			default:
				s.step(body)
			}
		case star:
			if open && s.need(2) && s.buf[s.i+1] == '/' {
				open = false
				s.i += 2
			} else {
				s.step(body)
			}
		case hash:
			s.toLineEnd()
		case dash:
			if s.dashes() {
				s.toLineEnd()
			} else {
				s.step(body)
			}
		case backslash:
			if s.need(2) && (s.buf[s.i+1] == 'g' || s.buf[s.i+1] == 'G') && !open {
				return nil
			}
			s.i++
		case letter:
			if body == nil {
				s.i++
			} else {
				s.wordOf(body)
			}
		default:
			s.step(body)
		}
	}
}

// ends reports whether the statement ends at s.i, where a delimiter or a
// semicolon may stand. Under another delimiter clients send several statements
// at once, and the server ends them at semicolons.
func (s *Splitter) ends(body *blocks) bool {
	semicolon := string(s.delimiter) == ";"
	switch {
	case s.atDelimiter():
		return !semicolon || body == nil || !body.inside()
	case s.buf[s.i] != ';':
		return false
	case body == nil || !body.stored:
		return true
	case body.inside():
		return false
	}
	word := s.wordAfter()
	return word == "CREATE" || word == "DROP" || word == "ALTER"
}

// wordAfter returns the word behind the semicolon at s.i, in upper case.
func (s *Splitter) wordAfter() string {
	const far = 256
	s.need(far)
	rest := bytes.TrimLeft(s.buf[s.i+1:min(len(s.buf), s.i+far)], " \t\r\n")
	n := 0
	for n < len(rest) && classes[rest[n]] == letter {
		n++
	}
	return strings.ToUpper(string(rest[:n]))
}

// step passes over one byte that means nothing here.
func (s *Splitter) step(body *blocks) {
	if body != nil && s.buf[s.i] > ' ' {
		body.mark(s.buf[s.i])
	}
	s.i++
}

// wordOf reads a word at s.i and tells the body.
func (s *Splitter) wordOf(body *blocks) {
	n := 0
	for s.need(n+1) && classes[s.buf[s.i+n]] == letter {
		if n > 0 && s.buf[s.i+n] == s.delimiter[0] && s.need(n+len(s.delimiter)) && bytes.HasPrefix(s.buf[s.i+n:], s.delimiter) {
			break // END$$
		}
		n++
	}
	body.word(strings.ToUpper(string(s.buf[s.i : s.i+n])))
	s.i += n
}

// quoted passes over a quoted text or name at s.i.
func (s *Splitter) quoted(q byte, keep bool) error {
	escapes := q != '`' && !s.mode.noBackslash && !(q == '"' && s.mode.ansiQuotes)
	var opened *Error // where the quote opens; only needed when the text runs out of the buffer
	seen := 0         // bytes since then: both ends move together when the buffer does
	for step := 1; ; {
		b, i := s.buf, s.i+step
		for i < len(b) && b[i] != q && b[i] != '\\' {
			i++
		}
		seen += i - s.i
		s.i = i
		switch {
		case i >= len(b):
			step = 0
			if opened == nil {
				s.need(nearBytes)
				from := s.i - seen
				opened = &Error{Pos: s.position(from), Near: near(string(s.buf[from:min(len(s.buf), from+nearBytes)])), Reason: "the quote " + string(q) + " is not closed"}
			}
			if !keep {
				s.start = s.i
			}
			if !s.need(1) {
				if err := s.ended(); err != io.EOF {
					return err
				}
				return opened
			}
		case b[i] == '\\':
			step = 1
			if escapes && s.need(2) {
				step = 2
			}
		case s.need(2) && s.buf[s.i+1] == q:
			step = 2
		default:
			s.i++
			return nil
		}
	}
}

// unfinished says what a statement lacks that the end of the source cuts off;
// nil when it lacks only the delimiter.
func (s *Splitter) unfinished(pos schema.Pos, body *blocks, open bool) error {
	if err := s.ended(); err != io.EOF {
		return err
	}
	switch {
	case open:
		return s.fail(pos, "a version comment /*! is not closed")
	case body != nil && body.inside():
		return s.fail(pos, "the body is not closed: "+body.open[len(body.open)-1].word+" has no END")
	}
	return nil
}
