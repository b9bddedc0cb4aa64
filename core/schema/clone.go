package schema

import "slices"

// Clone returns a copy that shares nothing with s.
func (s *Schema) Clone() *Schema {
	c := *s
	c.Tables = cloneAll(s.Tables, (*Table).Clone)
	c.Views = cloneAll(s.Views, func(v *View) *View {
		n := *v
		n.Columns = slices.Clone(v.Columns)
		return &n
	})
	c.Routines = cloneAll(s.Routines, shallow[Routine])
	c.Triggers = cloneAll(s.Triggers, shallow[Trigger])
	c.Events = cloneAll(s.Events, shallow[Event])
	c.Sequences = cloneAll(s.Sequences, shallow[Sequence])
	return &c
}

// Clone returns a copy that shares nothing with t.
func (t *Table) Clone() *Table {
	c := *t
	c.Columns = cloneAll(t.Columns, (*Column).Clone)
	if t.PrimaryKey != nil {
		c.PrimaryKey = t.PrimaryKey.Clone()
	}
	c.Indexes = cloneAll(t.Indexes, (*Index).Clone)
	c.ForeignKeys = cloneAll(t.ForeignKeys, (*ForeignKey).Clone)
	c.Checks = cloneAll(t.Checks, shallow[Check])
	c.Partition = t.Partition.Clone()
	c.Options = slices.Clone(t.Options)
	c.Periods = slices.Clone(t.Periods)
	return &c
}

// Clone returns a copy that shares nothing with c.
func (c *Column) Clone() *Column {
	n := *c
	n.Type.Values = slices.Clone(c.Type.Values)
	n.Options = slices.Clone(c.Options)
	if c.Generated != nil {
		g := *c.Generated
		n.Generated = &g
	}
	if c.SRID != nil {
		v := *c.SRID
		n.SRID = &v
	}
	return &n
}

// Clone returns a copy that shares nothing with x.
func (x *Index) Clone() *Index {
	n := *x
	n.Parts = slices.Clone(x.Parts)
	n.Options = slices.Clone(x.Options)
	return &n
}

// Clone returns a copy that shares nothing with k.
func (k *ForeignKey) Clone() *ForeignKey {
	n := *k
	n.Columns = slices.Clone(k.Columns)
	n.RefColumns = slices.Clone(k.RefColumns)
	return &n
}

// Clone returns a copy that shares nothing with p; nil for nil.
func (p *Partitioning) Clone() *Partitioning {
	if p == nil {
		return nil
	}
	n := *p
	n.Columns = slices.Clone(p.Columns)
	n.Parts = cloneParts(p.Parts)
	n.Sub = p.Sub.Clone()
	return &n
}

func cloneParts(ps []Partition) []Partition {
	n := slices.Clone(ps)
	for i := range n {
		n[i].Options = slices.Clone(n[i].Options)
		n[i].Subs = cloneParts(n[i].Subs)
	}
	return n
}

func shallow[T any](v *T) *T {
	n := *v
	return &n
}

func cloneAll[T any](in []*T, clone func(*T) *T) []*T {
	if in == nil {
		return nil
	}
	out := make([]*T, len(in))
	for i, v := range in {
		out[i] = clone(v)
	}
	return out
}
