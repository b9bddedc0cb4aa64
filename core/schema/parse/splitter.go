package parse

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"moult/core/schema"
)

// MaxStatement is the longest statement that is held in memory, in bytes. It is
// far above any definition; the largest packet a server takes is 1 GiB, but
// such statements carry rows, which are passed over.
const MaxStatement = 64 << 20

// Statement is one statement of a source.
type Statement struct {
	Text string // without the delimiter; "" for rows that were passed over
	Verb string // the first word in upper case
	Lead string // the comments before it, as far as they hold "@renamed"
	Pos  schema.Pos
}

// Splitter cuts a stream into statements without understanding more of them
// than it must: quotes, comments, DELIMITER lines and the bodies of stored
// programs. It holds one statement at a time.
type Splitter struct {
	// KeepRows makes Next return the text of statements that carry rows
	// (INSERT, REPLACE, LOAD, …), which are passed over otherwise.
	KeepRows bool

	name      string
	r         io.Reader
	readErr   error
	buf       []byte
	i         int // the next byte to look at
	start     int // the first byte that is still needed
	delimiter []byte

	line, column int // of buf[mark]
	mark         int
	mode         mode
	begun        bool
}

// NewSplitter returns a Splitter over r; the name stands for it in positions.
func NewSplitter(name string, r io.Reader) *Splitter {
	return &Splitter{name: name, r: r, buf: make([]byte, 0, 256<<10), delimiter: []byte(";"), line: 1, column: 1}
}

// carriesRows are the first words of statements that are passed over.
var carriesRows = map[string]bool{"INSERT": true, "REPLACE": true, "LOAD": true, "UPDATE": true, "DELETE": true, "SELECT": true, "WITH": true, "VALUES": true}

// Next returns the next statement, io.EOF after the last. Other errors are an
// *Error or come from the reader.
func (s *Splitter) Next() (Statement, error) {
	for {
		lead, err := s.blanks()
		if err != nil {
			return Statement{}, err
		}
		s.start = s.i
		if !s.need(1) {
			return Statement{}, s.ended()
		}
		if s.atDelimiter() || s.buf[s.i] == ';' {
			s.pastDelimiter()
			continue
		}
		pos := s.position(s.i)
		verb := s.verb()
		switch verb {
		case "DELIMITER":
			if err := s.setDelimiter(pos); err != nil {
				return Statement{}, err
			}
			continue
		case "USE":
			return s.use(pos)
		case "SOURCE", `\.`:
			return Statement{}, s.fail(pos, "the client command "+strings.ToLower(verb)+" reads another file: put its statements here instead")
		}
		st := Statement{Verb: verb, Lead: lead, Pos: pos}
		keep := s.KeepRows || !carriesRows[verb]
		if err := s.scan(pos, verb, keep); err != nil {
			return Statement{}, err
		}
		if keep {
			st.Text = string(bytes.TrimRight(s.buf[s.start:s.i], "; \t\r\n"))
		}
		s.pastDelimiter()
		return st, nil
	}
}

// ended returns what Next says when there is nothing more to read.
func (s *Splitter) ended() error {
	if s.readErr == nil || s.readErr == io.EOF {
		return io.EOF
	}
	if _, ok := s.readErr.(*Error); ok {
		return s.readErr
	}
	return fmt.Errorf("read %s: %w", s.name, s.readErr)
}

// need makes n bytes from s.i on available, and reports whether there are so many.
func (s *Splitter) need(n int) bool {
	for len(s.buf)-s.i < n {
		if !s.more() {
			return false
		}
	}
	return true
}

// more reads on, forgetting what stands before s.start. It never moves s.i
// relative to the text: both offsets shift together.
func (s *Splitter) more() bool {
	if s.readErr != nil {
		return false
	}
	if s.start > 0 {
		s.advance(s.start)
		n := copy(s.buf, s.buf[s.start:])
		s.buf = s.buf[:n]
		s.i -= s.start
		s.mark -= s.start
		s.start = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) > MaxStatement {
			s.readErr = s.fail(s.position(0), fmt.Sprintf("a statement is longer than %d MiB: a quote or a delimiter is probably missing", MaxStatement>>20))
			return false
		}
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if err != nil {
			s.readErr = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.readErr = io.ErrNoProgress
	return false
}

// advance moves the known position to buf[to].
func (s *Splitter) advance(to int) {
	if to <= s.mark {
		return
	}
	part := s.buf[s.mark:to]
	if n := bytes.Count(part, []byte{'\n'}); n > 0 {
		s.line += n
		s.column = 1
		part = part[bytes.LastIndexByte(part, '\n')+1:]
	}
	s.column += utf8.RuneCount(part)
	s.mark = to
}

// position returns the place of buf[i], which is not before the last one asked for.
func (s *Splitter) position(i int) schema.Pos {
	s.advance(i)
	return schema.Pos{File: s.name, Line: s.line, Column: s.column}
}

// fail returns an *Error at pos, with the words that follow s.start.
func (s *Splitter) fail(pos schema.Pos, reason string) error {
	for len(s.buf)-s.start < nearBytes && s.more() {
	}
	return &Error{Pos: pos, Near: near(string(s.buf[s.start:min(len(s.buf), s.start+nearBytes)])), Reason: reason}
}

// zeroByte is the reason for refusing what no server reads as SQL.
const zeroByte = "a zero byte: this is no text, or not in UTF-8"

// nearBytes are enough for the words that an error shows.
const nearBytes = 240

// near shortens text to the few words that an error shows.
func near(text string) string {
	const width = 60
	text = strings.Join(strings.Fields(text[:min(len(text), nearBytes)]), " ")
	text = strings.ToValidUTF8(text, "\ufffd")
	if utf8.RuneCountInString(text) > width {
		text = string([]rune(text)[:width]) + "…"
	}
	return text
}

// blanks passes over blanks and comments before a statement and returns those
// comments that hold "@renamed".
func (s *Splitter) blanks() (lead string, err error) {
	if !s.begun {
		s.begun = true
		if s.need(2) && (bytes.HasPrefix(s.buf, []byte{0xff, 0xfe}) || bytes.HasPrefix(s.buf, []byte{0xfe, 0xff})) {
			return "", s.fail(s.position(0), "the file is UTF-16: save it as UTF-8")
		}
		if s.need(3) && bytes.HasPrefix(s.buf, []byte("\ufeff")) {
			s.i, s.mark = 3, 3
		}
	}
	sameLine := s.line > 1 || s.column > 1 || s.i > 3
	for s.need(1) {
		s.start = s.i
		c := s.buf[s.i]
		switch {
		case c == 0:
			return "", s.fail(s.position(s.i), zeroByte)
		case c <= ' ':
			sameLine = sameLine && c != '\n'
			s.i++
		case c >= 0x80:
			s.need(3)
			n := blankRune(string(s.buf[s.i:min(len(s.buf), s.i+4)]))
			if n == 0 {
				return lead, nil
			}
			s.i += n
		case c == '#', c == '-' && s.need(2) && s.buf[s.i+1] == '-':
			// No statement begins with "--": a blank may be missing here.
			s.toLineEnd()
		case c == '/' && s.plainComment():
			if err := s.skipComment(); err != nil {
				return "", err
			}
		default:
			return lead, nil
		}
		if c == '#' || c == '-' || c == '/' {
			if text := s.buf[s.start:s.i]; bytes.Contains(text, []byte("@renamed")) {
				if sameLine {
					return "", s.fail(s.position(s.start), "@renamed stands after the end of a statement: put it before the statement or inside it")
				}
				lead += string(text) + "\n"
			}
		}
	}
	return lead, nil
}

// dashes reports whether a comment "-- " starts at s.i.
func (s *Splitter) dashes() bool {
	s.need(3)
	rest := s.buf[s.i:]
	return len(rest) >= 2 && rest[1] == '-' && (len(rest) == 2 || rest[2] <= ' ')
}

// toLineEnd moves to the line break or the end.
func (s *Splitter) toLineEnd() {
	for s.need(1) {
		if n := bytes.IndexByte(s.buf[s.i:], '\n'); n >= 0 {
			s.i += n
			return
		}
		s.i = len(s.buf)
	}
}

// plainComment reports whether a comment starts at s.i that no server runs.
// Clients write "/*M!999999\- enable the sandbox mode */" for themselves.
func (s *Splitter) plainComment() bool {
	s.need(10)
	rest := s.buf[s.i:]
	switch {
	case !bytes.HasPrefix(rest, []byte("/*")):
		return false
	case bytes.HasPrefix(rest, []byte("/*!999999")), bytes.HasPrefix(rest, []byte("/*M!999999")):
		return true
	case len(rest) > 2 && rest[2] == '!', len(rest) > 3 && rest[3] == '!' && (rest[2] == 'M' || rest[2] == 'T'):
		return false
	}
	return true
}

// skipComment passes over a comment at s.i.
func (s *Splitter) skipComment() error {
	pos := s.position(s.i)
	s.i += 2
	for s.need(2) {
		n := bytes.IndexByte(s.buf[s.i:], '*')
		switch {
		case n < 0:
			s.i = len(s.buf)
		case s.i+n+1 < len(s.buf) && s.buf[s.i+n+1] == '/':
			s.i += n + 2
			return nil
		default:
			s.i += n
			if s.need(2) && s.buf[s.i+1] != '/' {
				s.i++
			}
		}
	}
	if err := s.ended(); err != io.EOF {
		return err
	}
	return s.fail(pos, "a comment /* is not closed")
}

func (s *Splitter) atDelimiter() bool {
	return s.need(len(s.delimiter)) && bytes.HasPrefix(s.buf[s.i:], s.delimiter)
}

// pastDelimiter moves behind the delimiter or \g at s.i, if there is one.
func (s *Splitter) pastDelimiter() {
	switch {
	case s.atDelimiter():
		s.i += len(s.delimiter)
	case s.need(1) && s.buf[s.i] == ';':
		s.i++
	case s.need(2) && s.buf[s.i] == '\\':
		s.i += 2
	}
}

// verb returns the first word from s.i on in upper case, looking into version
// comments and past parentheses, without moving.
func (s *Splitter) verb() string {
	const far = 512 // an opening, a plain comment and a word
	s.need(far)
	rest := s.buf[s.i:min(len(s.buf), s.i+far)]
	if bytes.HasPrefix(rest, []byte(`\.`)) {
		return `\.`
	}
	for len(rest) > 0 {
		switch {
		case rest[0] <= ' ' || rest[0] == '(':
			rest = rest[1:]
		case bytes.HasPrefix(rest, []byte("/*")):
			if n, _ := versionComment(string(rest[:min(len(rest), 40)]), schema.Flavor{}); n > 0 {
				rest = rest[n:]
				continue
			}
			n := bytes.Index(rest, []byte("*/"))
			if n < 0 {
				return ""
			}
			rest = rest[n+2:]
		case bytes.HasPrefix(rest, []byte("*/")):
			rest = rest[2:]
		default:
			n := 0
			for n < len(rest) && wordByte(rest[n]) && rest[n] < 0x80 {
				n++
			}
			return strings.ToUpper(string(rest[:n]))
		}
	}
	return ""
}

// setDelimiter reads a DELIMITER line.
func (s *Splitter) setDelimiter(pos schema.Pos) error {
	s.toLineEnd()
	line := s.buf[s.start:s.i]
	d := bytes.TrimSpace(line[min(len(line), len("DELIMITER")):])
	if n := bytes.IndexAny(d, " \t"); n >= 0 {
		d = d[:n]
	}
	if len(d) == 0 || bytes.IndexByte(d, '\\') >= 0 {
		return s.fail(pos, "DELIMITER wants the text that ends statements from here on")
	}
	s.delimiter = bytes.Clone(d)
	return nil
}

// use reads USE, a client command that a line break ends as well as a delimiter.
func (s *Splitter) use(pos schema.Pos) (Statement, error) {
	q := byte(0)
	for s.need(1) {
		c := s.buf[s.i]
		if c == '\n' || q == 0 && s.atDelimiter() {
			break
		}
		switch {
		case q == c:
			q = 0
		case q == 0 && (c == '`' || c == '"'):
			q = c
		}
		s.i++
	}
	st := Statement{Verb: "USE", Text: string(bytes.TrimSpace(s.buf[s.start:s.i])), Pos: pos}
	s.pastDelimiter()
	return st, nil
}
