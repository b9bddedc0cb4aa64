package parse

import (
	"math"
	"slices"
	"strconv"

	"moult/core/schema"
)

// createSequence reads what follows CREATE … SEQUENCE. What is not said has the
// default of MariaDB and TiDB, which depends on the direction.
func (r *reader) createSequence(c *cursor, h head) {
	if h.temporary {
		return
	}
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("a sequence")
	r.own(c, db)
	q := &schema.Sequence{Name: name, Increment: 1, Cache: 1000, Pos: c.st.Pos}
	var start, low, high *int64
	for c.tok().kind != end {
		switch {
		case c.accept("START"):
			c.acceptAny("WITH", "=")
			start = c.signed("START")
		case c.accept("INCREMENT"):
			c.acceptAny("BY", "=")
			q.Increment = *c.signed("INCREMENT")
		case c.accept("MINVALUE"):
			c.accept("=")
			low = c.signed("MINVALUE")
		case c.accept("MAXVALUE"):
			c.accept("=")
			high = c.signed("MAXVALUE")
		case c.accept("CACHE"):
			c.accept("=")
			q.Cache = *c.signed("CACHE")
		case c.accept("NOCACHE"), c.accept("NO", "CACHE"):
			q.Cache = 0
		case c.accept("CYCLE"):
			q.Cycle = true
		case c.accept("NOCYCLE"), c.accept("NO", "CYCLE"), c.accept("NOMINVALUE"), c.accept("NO", "MINVALUE"),
			c.accept("NOMAXVALUE"), c.accept("NO", "MAXVALUE"):
		case c.accept("AS"):
			if t := c.next().upper; t != "BIGINT" && t != "INT8" {
				c.failAt(c.i-1, "sequence %s: only sequences of type bigint are supported", name)
			}
		case c.tableOption(&schema.Table{}):
		default:
			c.fail("sequence %s: this is not understood", name)
		}
	}
	q.Min, q.Max = 1, math.MaxInt64-1
	if q.Increment < 0 {
		q.Min, q.Max = math.MinInt64+1, -1
	}
	if low != nil {
		q.Min = *low
	}
	if high != nil {
		q.Max = *high
	}
	q.Start = q.Min
	if q.Increment < 0 {
		q.Start = q.Max
	}
	if start != nil {
		q.Start = *start
	}
	i := slices.IndexFunc(r.out.Sequences, func(o *schema.Sequence) bool { return o.Name == name })
	insert(&r.out.Sequences, i, q, h.replace, exists, func() {
		c.failAt(at, "the sequence %s is created a second time", name)
	})
}

// signed reads a whole number that may be negative.
func (c *cursor) signed(what string) *int64 {
	text := ""
	if c.accept("-") {
		text = "-"
	}
	n, err := strconv.ParseInt(text+c.tok().text, 10, 64)
	if c.tok().kind != number || err != nil {
		c.fail("%s wants a whole number", what)
	}
	c.i++
	return &n
}
