package words

import (
	"iter"
	"regexp"
	"strings"
)

// Translate turns a text of core into another language. Core speaks English, in
// plans, journals and the outcomes of years ago, and its texts are sentences of
// [Phrases] with names and numbers in their gaps. lookup returns the translation
// of such a sentence, or the sentence itself where there is none. What is no
// phrase, as what a server or an operating system says, stays as it is.
func Translate(text string, lookup func(phrase string) string) string {
	r := reader{seen: map[string]*reading{}, lookup: lookup}
	if out, known := r.translate(text); known {
		return out
	}
	return text
}

const (
	// longestText is how long a text may be and still be looked up, in bytes. What is
	// longer is a server's output and not a sentence.
	longestText = 8000
	// mostReads bounds what is tried with one text: a list of two hundred changes
	// takes a thousand reads, and a server's output could take millions.
	mostReads = 5000
)

// phrase is one of [Phrases] taken apart: the literals around its gaps, of which
// there is one more than gaps.
type phrase struct {
	key      string
	literals []string
	gaps     []gap
	weight   int  // how long the literals are; of two that fit a text the heavier one is meant
	glue     bool // it has no word of its own and only joins others
	raw      bool // one of its gaps takes anything
}

// gap is {1}, which takes any text, or {~1}, which takes a phrase.
type gap struct {
	name   string // with its braces
	phrase bool
}

var gapPattern = regexp.MustCompile(`\{~?\d\}`)

// parsePhrase takes a phrase or its translation apart.
func parsePhrase(key string) phrase {
	p := phrase{key: key}
	end := 0
	for _, at := range gapPattern.FindAllStringIndex(key, -1) {
		name := key[at[0]:at[1]]
		p.literals = append(p.literals, key[end:at[0]])
		p.gaps = append(p.gaps, gap{name: name, phrase: name[1] == '~'})
		p.raw = p.raw || name[1] != '~'
		end = at[1]
	}
	p.literals = append(p.literals, key[end:])
	own := strings.Join(p.literals, "")
	p.weight = len(own)
	p.glue = !strings.ContainsFunc(own, func(r rune) bool { return r >= 'A' && r <= 'z' })
	return p
}

// fits yields every way in which a text can fill the gaps. A sentence may begin
// with a capital letter where the phrase has a small one.
func (p *phrase) fits(text string) iter.Seq[[]string] {
	if p.glue && len(p.gaps) == 2 && p.literals[0] == "" && p.literals[2] == "" {
		return p.joints(text)
	}
	return func(yield func([]string) bool) {
		first := p.literals[0]
		if len(text) < len(first) || text[:len(first)] != first && !sameButForCapital(text[:len(first)], first) || !p.inOrder(text[len(first):]) {
			return
		}
		p.fill(text[len(first):], nil, yield)
	}
}

// inOrder reports whether the literals after the first gap stand in a text in their
// order. Most don't, and to find that out by trying every way to fill the gaps takes
// long.
func (p *phrase) inOrder(rest string) bool {
	for _, literal := range p.literals[1:] {
		at := strings.Index(rest, literal)
		if at < 0 {
			return false
		}
		rest = rest[at+len(literal):]
	}
	return true
}

// joints yields the ways in which glue can hold a text together: at its last place
// and at its first one, for lists end with an element and errors begin with what was
// tried. What stands in parentheses belongs together.
func (p *phrase) joints(text string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		first, last, depth := -1, -1, 0
		for i := range len(text) {
			switch {
			case text[i] == '(':
				depth++
			case text[i] == ')':
				depth--
			case depth == 0 && i > 0 && strings.HasPrefix(text[i:], p.literals[1]):
				if last = i; first < 0 {
					first = i
				}
			}
		}
		for _, at := range []int{last, first} {
			if at > 0 && at+len(p.literals[1]) < len(text) && !yield([]string{text[:at], text[at+len(p.literals[1]):]}) {
				return
			}
		}
	}
}

func sameButForCapital(text, literal string) bool {
	return literal != "" && text[1:] == literal[1:] && strings.ToLower(text[:1]) == literal[:1]
}

// fill finds the places of the literals after the gaps that are filled already,
// and reports whether to go on.
func (p *phrase) fill(rest string, filled []string, yield func([]string) bool) bool {
	i := len(filled)
	if i == len(p.gaps) {
		return rest != "" || yield(filled)
	}
	literal := p.literals[i+1]
	if i == len(p.gaps)-1 {
		body, found := strings.CutSuffix(rest, literal)
		return !found || body == "" || yield(append(filled, body))
	}
	for at := 1; at < len(rest); at++ {
		next := strings.Index(rest[at:], literal)
		if next < 0 {
			return true
		}
		at += next
		if !p.fill(rest[at+len(literal):], append(filled[:i:i], rest[:at]), yield) {
			return false
		}
	}
	return true
}

// reading is what a text was found to be.
type reading struct {
	phrase *phrase // nil: no phrase
	gaps   []string
	whole  bool // the phrases in its gaps are known too
}

// reader reads a text and its parts, each once.
type reader struct {
	seen   map[string]*reading
	lookup func(string) string
}

// read finds the phrase that a text is: phrases that are joined, then the
// heaviest one, then one that is joined to something unknown.
func (r *reader) read(text string) *reading {
	if known := r.seen[text]; known != nil {
		return known
	}
	found := &reading{}
	r.seen[text] = found // while it is looked for it is none, so that nothing goes in circles
	if len(text) > longestText || len(r.seen) > mostReads {
		return found
	}
	best := -1
	for _, pass := range []func(*phrase) bool{
		func(p *phrase) bool { return p.glue && !p.raw },
		func(p *phrase) bool { return !p.glue },
		func(p *phrase) bool { return p.glue && p.raw },
	} {
		for i := range book {
			p := &book[i]
			if !pass(p) || p.weight <= best || p.weight > len(text) {
				continue
			}
			if gaps := r.gaps(p, text); gaps != nil {
				found.phrase, found.gaps, best = p, gaps, p.weight
				found.whole = r.allKnown(p, gaps)
			}
		}
		if found.phrase != nil {
			break
		}
	}
	return found
}

// gaps returns what fills the gaps of a phrase, nil if it doesn't fit. Of several
// ways the one is taken in which the phrases within are known; glue has no other.
func (r *reader) gaps(p *phrase, text string) []string {
	if len(p.gaps) == 0 {
		if text == p.key || len(text) == len(p.key) && sameButForCapital(text, p.key) {
			return []string{}
		}
		return nil
	}
	var first []string
	for gaps := range p.fits(text) {
		if r.allKnown(p, gaps) {
			return gaps
		}
		if first == nil && !p.glue {
			first = gaps
		}
	}
	return first
}

func (r *reader) allKnown(p *phrase, gaps []string) bool {
	for i, g := range p.gaps {
		if g.phrase && !r.read(gaps[i]).whole {
			return false
		}
	}
	return true
}

// translate returns the translation of a text, and whether it is a phrase that
// has one.
func (r *reader) translate(text string) (string, bool) {
	found := r.read(text)
	if found.phrase == nil {
		return text, false
	}
	key := found.phrase.key
	translation := r.lookup(key)
	if translation == key {
		return text, false
	}
	to := parsePhrase(translation)
	var b strings.Builder
	for i, g := range to.gaps {
		b.WriteString(to.literals[i])
		b.WriteString(r.part(found, g))
	}
	b.WriteString(to.literals[len(to.gaps)])
	return b.String(), true
}

// part is what stands in a gap of a translation.
func (r *reader) part(of *reading, g gap) string {
	for i, h := range of.phrase.gaps {
		if h.name != g.name {
			continue
		}
		if h.phrase {
			out, _ := r.translate(of.gaps[i])
			return out
		}
		return of.gaps[i]
	}
	return g.name
}
