package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// Resolve returns a canonical schema with its expressions and views in the words
// that the server itself stores for them: only the server can tell whether
// "NOT (a = 3 OR b)" and what it has in its catalogue are the same. What is equal
// to the live schema already is not asked for. Objects that the server can't be
// asked about, for want of a scratch database, stay as they are.
func (d *DB) Resolve(ctx context.Context, s, live *schema.Schema) (*schema.Schema, error) {
	r := &resolver{ctx: ctx, s: s.Clone()}
	r.choose(live)
	if len(r.tables)+len(r.views) == 0 {
		return s, nil
	}
	scratch, closeScratch, err := d.openScratch(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.at = d
		return r.s, r.beside()
	}
	r.at = scratch
	if err := errors.Join(r.apart(), closeScratch()); err != nil {
		return nil, fmt.Errorf("ask the server how it stores the schema: %w", err)
	}
	return r.s, nil
}

// resolver asks a server for its words.
type resolver struct {
	ctx    context.Context
	s      *schema.Schema // to be filled in
	at     *DB
	tables []*schema.Table // of s, with expressions in question
	views  []*schema.View
}

// choose finds what has to be asked for.
func (r *resolver) choose(live *schema.Schema) {
	for _, t := range r.s.Tables {
		if hasExpressions(t) && !sameTable(live.Table(t.Name), t) {
			r.tables = append(r.tables, t)
		}
	}
	for _, v := range r.s.Views {
		same := func(l *schema.View) bool {
			equal, _ := schema.Equal(&schema.Schema{Views: []*schema.View{l}}, &schema.Schema{Views: []*schema.View{v}})
			return equal
		}
		if !slices.ContainsFunc(live.Views, same) {
			r.views = append(r.views, v)
		}
	}
}

func sameTable(a, b *schema.Table) bool {
	if a == nil || b == nil {
		return false
	}
	equal, _ := schema.Equal(&schema.Schema{Tables: []*schema.Table{a}}, &schema.Schema{Tables: []*schema.Table{b}})
	return equal
}

// hasExpressions reports whether a table holds text that servers rewrite.
func hasExpressions(t *schema.Table) bool {
	if len(t.Checks) > 0 || t.Partition != nil {
		return true
	}
	for _, c := range t.Columns {
		if c.Generated != nil || c.Default.Kind == schema.ExprDefault {
			return true
		}
	}
	for _, x := range t.Indexes {
		if slices.ContainsFunc(x.Parts, func(p schema.IndexPart) bool { return p.Column == "" }) {
			return true
		}
	}
	return false
}

// apart asks in a scratch database, in which all tables can be made under their
// own names and views over them.
func (r *resolver) apart() error {
	tables := r.tables
	if len(r.views) > 0 {
		tables = r.s.Tables
	}
	for _, t := range tables {
		if err := r.table(t, t.Name, slices.Contains(r.tables, t)); err != nil {
			return err
		}
	}
	left := r.views
	for len(left) > 0 {
		var failed []*schema.View
		for _, v := range left {
			if err := r.view(v, v.Name); err != nil {
				if isLost(err) || r.ctx.Err() != nil {
					return err
				}
				failed = append(failed, v)
			}
		}
		if len(failed) == len(left) {
			return nil // over something that is not in the schema: left as it is
		}
		left = failed
	}
	return nil
}

// beside asks in the site's own database, under names that are hidden from every
// comparison. A view can be asked for only if what it reads is there.
func (r *resolver) beside() error {
	table, view := strings.Trim(tryTable, "`"), strings.Trim(tryView, "`")
	drop := func() {
		for _, st := range []string{"DROP VIEW IF EXISTS " + tryView, "DROP TABLE IF EXISTS " + tryTable} {
			_ = r.at.execute(r.ctx, schema.Statement{SQL: st}, nil) // refused: it was not there
		}
	}
	drop()
	defer drop()
	for _, t := range r.tables {
		if err := r.table(t, table, true); err != nil && (isLost(err) || r.ctx.Err() != nil) {
			return err
		}
		drop()
	}
	for _, v := range r.views {
		if err := r.view(v, view); err != nil && (isLost(err) || r.ctx.Err() != nil) {
			return err
		}
		drop()
	}
	return nil
}

// table creates a table under a name, without keys to other tables and without
// names of checks, which have to be unique in a database, and reads it back.
func (r *resolver) table(t *schema.Table, name string, adopt bool) error {
	c := t.Clone()
	c.Name, c.ForeignKeys = name, nil
	for _, check := range c.Checks {
		if check.Column == "" {
			check.Name, check.AutoName = "", true
		}
	}
	if err := r.at.execute(r.ctx, schema.Statement{SQL: c.Create(r.at.flavor)}, nil); err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	if !adopt {
		return nil
	}
	stored, err := r.read(object{name: name})
	if err != nil {
		return err
	}
	for _, got := range stored.Tables {
		got.Name = t.Name // a hidden name would not be compared
	}
	adoptExpressions(t, schema.Canonical(stored, r.at.flavor).Tables)
	return nil
}

// view creates a view under a name and takes over the body that the server stores.
func (r *resolver) view(v *schema.View, name string) error {
	c := *v
	c.Name = name
	text := schema.Emit(&schema.Schema{Views: []*schema.View{&c}}, r.at.flavor)
	statements, err := cut(text)
	if err != nil {
		return err
	}
	for _, st := range statements {
		if err := r.at.execute(r.ctx, schema.Statement{SQL: st}, nil); err != nil {
			return fmt.Errorf("view %s: %w", v.Name, err)
		}
	}
	stored, err := r.read(object{name: name, kind: "VIEW"})
	if err != nil {
		return err
	}
	for _, got := range stored.Views {
		v.Body, v.Columns = got.Body, got.Columns
	}
	return nil
}

// cut splits a text of ours into its statements.
func cut(text string) ([]string, error) {
	split := parse.NewSplitter("", strings.NewReader(text))
	var statements []string
	for {
		st, err := split.Next()
		if err == io.EOF {
			return statements, nil
		}
		if err != nil {
			return nil, err
		}
		statements = append(statements, st.Text)
	}
}

// read returns what the server has stored under a name.
func (r *resolver) read(o object) (*schema.Schema, error) {
	conn, err := r.at.session(r.ctx)
	if err != nil {
		return nil, err
	}
	reader := reader{ctx: r.ctx, q: conn, flavor: r.at.flavor}
	create, err := reader.create(o)
	if err != nil {
		return nil, r.at.noteLoss(err)
	}
	s, err := parse.Text("the server's definition of "+o.name, create.Raw+";", r.at.flavor)
	if err != nil {
		return nil, err
	}
	s.Charset, s.Collation = r.s.Charset, r.s.Collation
	return s, nil
}

// adoptExpressions takes the server's words for what is the same object.
func adoptExpressions(t *schema.Table, stored []*schema.Table) {
	if len(stored) != 1 {
		return
	}
	got := stored[0]
	for _, c := range t.Columns {
		g := got.Column(c.Name)
		if g == nil {
			continue
		}
		if c.Generated != nil && g.Generated != nil {
			c.Generated.Expr = g.Generated.Expr
		}
		if c.Default.Kind == schema.ExprDefault {
			c.Default = g.Default
		}
	}
	if len(t.Checks) == len(got.Checks) {
		for i, check := range t.Checks {
			check.Expr = got.Checks[i].Expr
		}
	}
	for _, x := range t.Indexes {
		g := got.Index(x.Name)
		if g == nil || len(g.Parts) != len(x.Parts) {
			continue
		}
		for i := range x.Parts {
			if x.Parts[i].Column == "" {
				x.Parts[i] = g.Parts[i]
			}
		}
	}
	if t.Partition != nil && got.Partition != nil {
		t.Partition = got.Partition
	}
}
