package parse

// blocks follows the words of a CREATE or ALTER statement and knows where a
// semicolon belongs to the body of a stored program. It is only needed when the
// source does not change the delimiter around such statements.
type blocks struct {
	verb   string
	stored bool // the statement makes a trigger, a routine or an event
	plain  bool // it makes something else
	prev   string
	open   []block
}

// block is an opened BEGIN, CASE, IF, LOOP, REPEAT, WHILE or FOR.
type block struct {
	word  string
	value bool // a CASE that is an expression
}

// inside reports whether a semicolon here does not end the statement.
func (b *blocks) inside() bool { return len(b.open) > 0 }

// mark notes a character that is no part of a word.
func (b *blocks) mark(c byte) { b.prev = marks[c] }

// marks holds the one-character strings, so that noting one allocates nothing.
var marks = func() (t [256]string) {
	for c := range 256 {
		t[c] = string([]byte{byte(c)})
	}
	return t
}()

// makesStored are the words that tell that a body follows.
var makesStored = map[string]bool{"TRIGGER": true, "PROCEDURE": true, "FUNCTION": true, "EVENT": true, "PACKAGE": true}

// makesPlain are the words that tell that no body follows.
var makesPlain = map[string]bool{
	"TABLE": true, "VIEW": true, "INDEX": true, "DATABASE": true, "SCHEMA": true, "USER": true, "ROLE": true, "SEQUENCE": true,
	"SERVER": true, "TABLESPACE": true, "LOGFILE": true, "RESOURCE": true, "INSTANCE": true, "PLACEMENT": true,
}

// beforeStatement are the words and marks after which a statement may begin:
// IF( and REPEAT( are functions anywhere else. The second line is what can end
// the header of a routine or trigger.
var beforeStatement = map[string]bool{
	";": true, "BEGIN": true, "THEN": true, "ELSE": true, "DO": true, "LOOP": true, "REPEAT": true, ":": true, "ATOMIC": true,
	"ROW": true, ")": true, "DETERMINISTIC": true, "DATA": true, "SQL": true, "INVOKER": true, "DEFINER": true, "'": true,
}

// word follows one word, given in upper case.
func (b *blocks) word(w string) {
	prev := b.prev
	b.prev = w
	if prev == "." || prev == "@" {
		return
	}
	if !b.stored {
		switch {
		case b.plain:
		case b.verb == "BEGIN":
			// BEGIN NOT ATOMIC is a block of its own; BEGIN alone starts a
			// transaction.
			if prev == "NOT" && w == "ATOMIC" {
				b.stored = true
				b.open = append(b.open, block{word: "BEGIN"})
			}
		case makesStored[w]:
			b.stored = true
		case makesPlain[w]:
			b.plain = true
		}
		return
	}
	if w == "END" {
		if len(b.open) > 0 {
			b.open = b.open[:len(b.open)-1]
		}
		return
	}
	if prev == "END" {
		return // END IF, END LOOP, END CASE: the word says what was closed
	}
	starts := beforeStatement[prev] && !(len(b.open) > 0 && (prev == ")" || prev == "'"))
	inValue := len(b.open) > 0 && b.open[len(b.open)-1].value
	switch w {
	case "BEGIN":
		b.open = append(b.open, block{word: w})
	case "CASE":
		b.open = append(b.open, block{word: w, value: inValue || !starts})
	case "IF", "LOOP", "REPEAT", "WHILE", "FOR":
		if starts && !inValue {
			b.open = append(b.open, block{word: w})
		}
	}
}
