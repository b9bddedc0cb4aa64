package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may nest; no format of Moult needs
// more than eight.
const maxDepth = 32

// Field is one value of a JSON document that somebody else wrote. It knows where
// it stands, so that every failure names it: "patch.x86_64.url: …".
//
// The first failure in a document sticks; afterwards all reading methods return
// zero values. A reader therefore takes the whole document apart without looking
// and asks [Field.Err] once, at the end, before it uses anything.
type Field struct {
	doc    *document
	parent *Field // nil for the document itself
	name   string // in the parent: a key, or an index as in "[3]"
	v      any    // nil, bool, json.Number, string, []any or object
}

type document struct{ err error }

// object is a JSON object without duplicate keys.
type object map[string]any

// ParseDocument reads one JSON object. It refuses more than limit bytes, bytes
// that are not UTF-8, duplicate keys, nesting deeper than 32 and anything that
// follows the object.
func ParseDocument(b []byte, limit int) *Field {
	f := &Field{doc: &document{}}
	switch {
	case len(b) > limit:
		f.doc.err = fmt.Errorf("is %d bytes long; at most %d are read", len(b), limit)
		return f
	case !utf8.Valid(b):
		f.doc.err = errors.New("is not UTF-8")
		return f
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		f.doc.err = err
		return f
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		f.doc.err = errors.New("something follows the end of the JSON object")
		return f
	}
	if _, ok := v.(object); !ok {
		f.doc.err = errors.New("is not a JSON object")
		return f
	}
	f.v = v
	return f
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nests deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, jsonFault(err)
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, jsonFault(err)
			}
			name := key.(string) // encoding/json allows nothing else here
			if _, twice := o[name]; twice {
				return nil, within(name, errors.New("is given twice"))
			}
			if o[name], err = readValue(d, depth+1); err != nil {
				return nil, within(name, err)
			}
		}
		_, err = d.Token()
		return o, jsonFault(err)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, within(indexName(len(list)), err)
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, jsonFault(err)
	}
	return t, nil
}

func jsonFault(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the JSON ends too early")
	}
	if err != nil {
		return fmt.Errorf("is not JSON: %w", err)
	}
	return nil
}

// fault is an error that knows where in the document it is.
type fault struct {
	path string
	err  error
}

// Error returns the path and the cause.
func (f *fault) Error() string { return f.path + ": " + f.err.Error() }

// Unwrap returns the cause.
func (f *fault) Unwrap() error { return f.err }

// within says that err is in the member name of something.
func within(name string, err error) error {
	inner, ok := err.(*fault) // made by within itself, so never wrapped
	switch {
	case !ok:
		return &fault{name, err}
	case !strings.HasPrefix(inner.path, "["):
		name += "."
	}
	return &fault{name + inner.path, inner.err}
}

func indexName(i int) string { return "[" + strconv.Itoa(i) + "]" }

// Err returns the first failure in the document, or nil.
func (f *Field) Err() error { return f.doc.err }

// Fail records err against f, unless something failed before.
func (f *Field) Fail(err error) {
	if f.doc.err != nil || err == nil {
		return
	}
	for g := f; g.parent != nil; g = g.parent {
		err = within(g.name, err)
	}
	f.doc.err = err
}

// Present reports whether the value is there; null counts as absent.
func (f *Field) Present() bool { return f.v != nil }

// Get returns the member key of an object. It is absent if the object has no such
// member or is itself absent.
func (f *Field) Get(key string) *Field {
	g := &Field{doc: f.doc, parent: f, name: key}
	if f.v == nil {
		return g
	}
	o, ok := f.v.(object)
	if !ok {
		f.Fail(errors.New("must be an object"))
		return g
	}
	g.v = o[key]
	return g
}

// Only refuses members of an object other than those named.
func (f *Field) Only(names ...string) {
	for _, key := range f.Keys() {
		if !slices.Contains(names, key) {
			f.Get(key).Fail(errors.New("is not a known key"))
		}
	}
}

// Keys returns the keys of an object in order.
func (f *Field) Keys() []string {
	if f.v == nil || f.doc.err != nil {
		return nil
	}
	o, ok := f.v.(object)
	if !ok {
		f.Fail(errors.New("must be an object"))
		return nil
	}
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// IsList reports whether the value is a list.
func (f *Field) IsList() bool { _, ok := f.v.([]any); return ok }

// List returns the elements of a list; an absent list has none.
func (f *Field) List() []*Field {
	if f.v == nil || f.doc.err != nil {
		return nil
	}
	list, ok := f.v.([]any)
	if !ok {
		f.Fail(errors.New("must be a list"))
		return nil
	}
	fields := make([]*Field, len(list))
	for i, v := range list {
		fields[i] = &Field{doc: f.doc, parent: f, name: indexName(i), v: v}
	}
	return fields
}

// Text returns a string; an absent one is "".
func (f *Field) Text() string {
	if f.v == nil {
		return ""
	}
	s, ok := f.v.(string)
	if !ok {
		f.Fail(errors.New("must be a string"))
	}
	return s
}

// Required is Text that may be neither absent nor empty.
func (f *Field) Required() string {
	s := f.Text()
	if s == "" {
		f.Fail(errors.New("is missing"))
	}
	return s
}

// Bool returns a boolean; an absent one is false.
func (f *Field) Bool() bool {
	if f.v == nil {
		return false
	}
	b, ok := f.v.(bool)
	if !ok {
		f.Fail(errors.New("must be true or false"))
	}
	return b
}

// Int returns a whole number from least to most; an absent one is 0, whatever
// the limits are.
func (f *Field) Int(least, most int64) int64 {
	if f.v == nil {
		return 0
	}
	number, ok := f.v.(json.Number)
	n, err := strconv.ParseInt(number.String(), 10, 64)
	switch {
	case !ok || err != nil:
		f.Fail(errors.New("must be a whole number"))
		return 0
	case n < least || n > most:
		f.Fail(fmt.Errorf("is %d; it must be from %d to %d", n, least, most))
		return 0
	}
	return n
}

// Version returns a version; an absent or empty one is the zero Version.
func (f *Field) Version() Version {
	s := f.Text()
	if s == "" {
		return Version{}
	}
	v, err := ParseVersion(s)
	f.Fail(err)
	return v
}

// Digest returns a hash; an absent one is the zero Digest.
func (f *Field) Digest() Digest {
	d, err := ParseDigest(f.Text())
	f.Fail(err)
	return d
}

// Path returns a path, which must be there.
func (f *Field) Path() Path {
	p, err := ParsePath(f.Text())
	f.Fail(err)
	return p
}

// IsObject reports whether the value is an object.
func (f *Field) IsObject() bool { _, ok := f.v.(object); return ok }
