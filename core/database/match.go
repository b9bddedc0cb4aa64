package database

import (
	"context"
	"fmt"
	"strings"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// Mismatch says how a database differs from what it should be.
type Mismatch struct {
	Database    string
	Differences []string
}

// Error lists the first differences.
func (m *Mismatch) Error() string {
	const shown = 5
	list := m.Differences
	more := ""
	if len(list) > shown {
		more = fmt.Sprintf("; and %d more", len(list)-shown)
		list = list[:shown]
	}
	return fmt.Sprintf("database %s is not as expected: %s%s", m.Database, strings.Join(list, "; "), more)
}

// Matches compares the live database with a canonical text, as of
// schema.Plan.Target. A difference is a *[Mismatch], whose first side is the
// live one.
func (d *DB) Matches(ctx context.Context, canonicalSQL string) error {
	live, err := d.Introspect(ctx)
	if err != nil {
		return err
	}
	want, err := d.expected(canonicalSQL, live)
	if err != nil {
		return err
	}
	if same, _ := schema.Equal(live, want); same {
		return nil
	}
	// The text may say the same in other words than the server's.
	r := &resolver{ctx: ctx, s: want, at: d}
	r.choose(live)
	if err := r.beside(); err != nil {
		return err
	}
	if same, differences := schema.Equal(live, want); !same {
		return &Mismatch{d.dsn.Database, differences}
	}
	return nil
}

// expected reads a canonical text under the defaults of the live database.
func (d *DB) expected(canonicalSQL string, live *schema.Schema) (*schema.Schema, error) {
	s, err := parse.Text("the expected definition", canonicalSQL, d.flavor)
	if err != nil {
		return nil, err
	}
	if s.Charset == "" {
		s.Charset, s.Collation = live.Charset, live.Collation
	}
	return schema.Canonical(s, d.flavor), nil
}
