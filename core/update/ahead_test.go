package update_test

import (
	"testing"

	"moult/core/schema"
	"moult/core/update"
)

// TestAStatementThatWasRunAheadIsNotPlannedAgain alters a table before the update, as an
// admin does who leaves a large one to another tool.
func TestAStatementThatWasRunAheadIsNotPlannedAgain(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	extends := func(p *update.Plan) bool {
		for _, s := range p.Schema.Steps {
			if s.Object == "table users" && s.Phase == schema.Expand {
				return true
			}
		}
		return false
	}
	e := w.engine()
	if p := w.plan(e, update.Choices{}); !extends(p) {
		t.Fatal("the release no longer extends the table users; the test tests nothing")
	}
	w.exec("ALTER TABLE users MODIFY name VARCHAR(80) NOT NULL, ADD email VARCHAR(100) NOT NULL DEFAULT '', ADD KEY name (name)")
	ahead := w.state()
	p := w.plan(e, update.Choices{})
	if extends(p) {
		t.Errorf("what was done ahead is planned again: %+v", p.Schema.Steps)
	}
	_, err := e.Apply(t.Context(), p, nil)
	must(t, err)
	if v := get(e.Verify(t.Context(), nil))(t); !v.Same() {
		t.Errorf("the site differs from its release: %+v", v)
	}
	_, err = e.RollBack(t.Context(), "", nil)
	must(t, err)
	if got := w.state(); got != ahead {
		t.Errorf("the roll back led elsewhere:\n--- before\n%s--- after\n%s", ahead, got)
	}
}
