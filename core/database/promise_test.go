package database

import (
	"strings"
	"testing"

	"moult/core/schema"
)

// records is a journal in memory.
type records struct {
	kinds []string
	data  []Record
}

func (r *records) Append(kind string, data any) error {
	r.kinds, r.data = append(r.kinds, kind), append(r.data, data.(Record))
	return nil
}

func (r *records) Sync() error { return nil }

// of returns the records of a kind.
func (r *records) of(kind string) []Record {
	var out []Record
	for i, k := range r.kinds {
		if k == kind {
			out = append(out, r.data[i])
		}
	}
	return out
}

func TestStatementsRunAsTheCopyTookThem(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a varchar(10), n int)", "INSERT INTO t VALUES (1, 'x', 2)", "CREATE TABLE u (id int PRIMARY KEY, a int)")
	before := s.sums()
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a varchar(10), n int, c int DEFAULT NULL, KEY a (a)); CREATE TABLE u (id int PRIMARY KEY, a varchar(9))")
	if proved, reason, err := s.Cost(t.Context(), p, s.introspect()); err != nil || !proved {
		t.Fatalf("proved %v, %s, %v", proved, reason, err)
	}
	journal := &records{}
	for _, phase := range phaseOrder {
		if err := s.Run(t.Context(), p, phase, journal, nil); err != nil {
			t.Fatal(err)
		}
	}
	if refused := journal.of(RecordRefused); refused != nil {
		t.Errorf("refused: %+v", refused)
	}
	sent := map[string]string{}
	for _, begun := range journal.of(RecordBegin) {
		sent[begun.Statement] = begun.SQL
	}
	asked := 0
	for _, step := range p.Steps {
		name := step.Algorithm
		if name == "REBUILD" {
			name = "INPLACE"
		}
		wants := isAlter(step.SQL) && name != "COPY"
		if wants {
			asked++
		}
		if wants != strings.Contains(sent[step.ID], "ALGORITHM="+name) {
			t.Errorf("%s goes by %s, blocks %v, and was sent as: %s", step.ID, step.Algorithm, step.Blocks, sent[step.ID])
		}
	}
	if asked < 2 {
		t.Errorf("%d statements carry an algorithm, want those of the column and the index", asked)
	}
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
	s.undo(p)
	s.sameSums(before, "after undo")
}

func TestRefusedAlgorithmFallsBackToThePlainStatement(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a int)", "INSERT INTO t VALUES (1, 2)")
	before := s.sums()
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a varchar(20))")
	step := &p.Steps[len(p.Steps)-1]
	for i := range p.Steps {
		if isAlter(p.Steps[i].SQL) {
			step = &p.Steps[i]
		}
	}
	step.Algorithm, step.Blocks, step.Estimated = "INPLACE", false, false // as if the copy had taken it
	journal, told := &records{}, ""
	for _, phase := range phaseOrder {
		err := s.Run(t.Context(), p, phase, journal, func(now Progress) {
			if now.Refused != "" {
				told += now.Step
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if refused := journal.of(RecordRefused); len(refused) != 1 || refused[0].Statement != step.ID || refused[0].Error == "" || told != step.ID {
		t.Errorf("told of %q, noted %+v", told, refused)
	}
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
	s.undo(p)
	s.sameSums(before, "after undo")
}

func TestPromiseNamesAlgorithmAndLock(t *testing.T) {
	const sql = "ALTER TABLE `t`\n  ADD COLUMN `c` int"
	for _, c := range []struct {
		flavor    schema.Flavor
		algorithm string
		blocks    bool
		want      string
	}{
		{schema.DefaultMariaDB, "INSTANT", false, ", ALGORITHM=INSTANT, LOCK=NONE"},
		{schema.DefaultMariaDB, "NOCOPY", false, ", ALGORITHM=NOCOPY, LOCK=NONE"},
		{schema.DefaultMariaDB, "REBUILD", true, ", ALGORITHM=INPLACE, LOCK=SHARED"},
		{schema.DefaultMariaDB, "COPY", true, ""},
		{schema.DefaultMySQL, "INSTANT", false, ", ALGORITHM=INSTANT"},
		{schema.DefaultMySQL, "REBUILD", false, ", ALGORITHM=INPLACE, LOCK=NONE"},
		{schema.DefaultTiDB, "INPLACE", false, ""},
	} {
		d := &DB{flavor: c.flavor}
		s := &schema.Step{Statement: schema.Statement{SQL: sql}, Algorithm: c.algorithm, Blocks: c.blocks}
		if got := d.promised(s); got != sql+c.want {
			t.Errorf("%s %s, blocks %v: %s", c.flavor, c.algorithm, c.blocks, got)
		}
		s.Estimated = true
		if got := d.promised(s); got != sql {
			t.Errorf("an estimate became a promise: %s", got)
		}
	}
}
