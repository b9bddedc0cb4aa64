package database

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"moult/core/schema"
)

// Tool is a program that alters a large table without blocking its writers.
type Tool string

// The tools whose command lines are known.
const (
	PtOnlineSchemaChange Tool = "pt-online-schema-change"
	GhOst                Tool = "gh-ost"
)

// LeftError says which steps are left to an external tool that has not done them
// yet. All that does not need them is done. The run is continued by calling Run or
// Undo again; on the way back, the statements are the inverses that are left.
type LeftError struct{ Steps []schema.Step }

// Error names the first step.
func (e *LeftError) Error() string {
	s := e.Steps[0]
	more := ""
	if n := len(e.Steps) - 1; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	return fmt.Sprintf("%s (%s: %s) is left to another tool and has not happened yet%s", s.ID, s.Object, s.Change, more)
}

// Leave names the steps, by ID, whose ALTER an external tool does. Run and Undo
// pass them over and end with a *[LeftError] until their probes see that they have
// happened. Without names nothing is left to a tool.
func (d *DB) Leave(steps ...string) {
	d.left = map[string]bool{}
	for _, id := range steps {
		d.left[id] = true
	}
}

// Leavable returns the IDs of the steps that are worth leaving to a tool: those
// that write a whole table anew or hold up its writers while they run. Of them it
// takes those on the given tables and those on tables of more bytes, data and
// indexes, than larger; 0 takes no table for its size.
func (d *DB) Leavable(ctx context.Context, p *schema.Plan, tables []string, larger int64) ([]string, error) {
	conn, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range p.Steps {
		s := &p.Steps[i]
		if !canLeave(s.Statement) || !rewrites[s.Algorithm] && !s.Blocks {
			continue
		}
		wanted := slices.Contains(tables, s.Table)
		if !wanted && larger > 0 {
			bytes, err := tableBytes(ctx, conn, s.Table)
			if err != nil {
				return nil, d.noteLoss(err)
			}
			wanted = bytes > larger
		}
		if wanted {
			ids = append(ids, s.ID)
		}
	}
	return ids, nil
}

// tableBytes is the size of a table by the server's estimate.
func tableBytes(ctx context.Context, q querier, table string) (bytes int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(data_length + index_length), 0) FROM information_schema.tables"+
		" WHERE table_schema = DATABASE() AND table_name = "+schema.QuoteText(table)).Scan(&bytes)
	if err != nil {
		return 0, fmt.Errorf("size of table %s: %w", table, err)
	}
	return bytes, nil
}

// canLeave reports whether a tool can do a statement, and we can see that it has.
func canLeave(st schema.Statement) bool {
	_, takesAlgorithm := withAlgorithm(st.SQL, "")
	return !st.DML && st.Probe != "" && takesAlgorithm && alterClauses.MatchString(st.SQL)
}

// held are the tables of steps that wait for a tool.
type held []string

// holds reports whether a step may need one that waits: it speaks of its table, or
// is more than a change of one table. A step that is held back holds back others.
func (h *held) holds(s *schema.Step) bool {
	if len(*h) == 0 {
		return false
	}
	needs := func(table string) bool { return s.Table == table || strings.Contains(s.SQL, schema.Quote(table)) }
	if strings.HasPrefix(s.Object, "table ") && s.Table != "" && !slices.ContainsFunc(*h, needs) {
		return false
	}
	*h = append(*h, s.Table)
	return true
}

// waits reports whether a statement is left to a tool that has not done it yet. The
// mark says that it may happen from now on, so that Undo asks the probe about it.
func (r *run) waits(ctx context.Context, s *schema.Step, key string, st schema.Statement) (bool, error) {
	if !r.d.left[s.ID] || r.marks[key] == done || !canLeave(st) {
		return false, nil
	}
	happened, err := r.insistProbe(ctx, st)
	if err == nil && happened {
		err = r.renameKeys(ctx)
	} else if err == nil && r.marks[key] != begun {
		err = r.d.insist(ctx, func() error { return r.mark(ctx, key, begun) })
	}
	if err != nil {
		return false, &StepError{Step: s.ID, Object: s.Object, Change: s.Change, SQL: st.SQL, Err: err}
	}
	return !happened, nil
}

// renameKeys gives foreign keys and their indexes the names back that a tool had to
// change: later statements call them by these.
func (r *run) renameKeys(ctx context.Context) error {
	live, err := r.d.Introspect(ctx)
	if err != nil {
		return err
	}
	named := map[string]*schema.Table{} // keys that the plan knows, before or after it
	for _, text := range []string{r.plan.Start, r.plan.Target} {
		s, err := r.d.expected(text, live)
		if err != nil {
			return err
		}
		for _, t := range s.Tables {
			if named[t.Name] == nil {
				named[t.Name] = &schema.Table{}
			}
			named[t.Name].ForeignKeys = append(named[t.Name].ForeignKeys, t.ForeignKeys...)
			named[t.Name].Indexes = append(named[t.Name].Indexes, t.Indexes...)
		}
	}
	for _, t := range live.Tables {
		want := named[t.Name]
		if want == nil {
			continue
		}
		st := schema.RenameKeys(t, want)
		if st == nil {
			continue
		}
		if err := r.d.insist(ctx, func() error { return r.d.execute(ctx, *st, nil) }); err != nil {
			return fmt.Errorf("name the keys of table %s as before: %w", t.Name, err)
		}
	}
	return nil
}

// alterClauses splits an ALTER TABLE of a plan.
var alterClauses = regexp.MustCompile("(?s)^ALTER TABLE `((?:[^`]|``)+)`\\s+(.+)$")

// oneLine joins the lines of clauses, which a plan writes one below the other. Line
// feeds inside of a text are written as \n there.
func oneLine(clauses string) string {
	return strings.ReplaceAll(strings.TrimSpace(clauses), ",\n  ", ", ")
}

// OnlineCommand returns the command line by which a tool does a step, to be
// shown and copied. It holds no password: both tools ask for it. A step that is
// no ALTER of a single table is an error.
func (d *DB) OnlineCommand(tool Tool, s *schema.Step) ([]string, error) {
	m := alterClauses.FindStringSubmatch(s.SQL)
	if m == nil || !canLeave(s.Statement) {
		return nil, fmt.Errorf("%s (%s: %s) is no ALTER TABLE; %s can't do it", s.ID, s.Object, s.Change, tool)
	}
	table := strings.ReplaceAll(m[1], "``", "`")
	clauses := oneLine(m[2])
	switch tool {
	case PtOnlineSchemaChange:
		return d.ptCommand(table, clauses), nil
	case GhOst:
		if d.flavor.Vendor != schema.MySQL {
			return nil, fmt.Errorf("gh-ost reads the binary log of MySQL, and the site is on %s", d.flavor)
		}
		if d.dsn.Network == "unix" {
			return nil, fmt.Errorf("gh-ost connects by TCP only, and the site by the socket %s", d.dsn.Address)
		}
		host, port, err := net.SplitHostPort(d.dsn.Address)
		if err != nil {
			return nil, fmt.Errorf("address %s: %w", d.dsn.Address, err)
		}
		return []string{string(GhOst), "--host=" + host, "--port=" + port, "--user=" + d.dsn.User, "--ask-pass",
			"--database=" + d.dsn.Database, "--table=" + table, "--alter=" + clauses, "--allow-on-master", "--approve-renamed-columns", "--execute"}, nil
	default:
		return nil, fmt.Errorf("tool %q: want %s or %s", tool, PtOnlineSchemaChange, GhOst)
	}
}

// ptCommand keeps the old table's rows as they are: a renamed column is copied
// under its new name, and foreign keys of children follow.
func (d *DB) ptCommand(table, clauses string) []string {
	var place string
	if d.dsn.Network == "unix" {
		place = "S=" + escapePT(d.dsn.Address)
	} else if host, port, err := net.SplitHostPort(d.dsn.Address); err == nil {
		place = "h=" + host + ",P=" + port
	}
	command := []string{string(PtOnlineSchemaChange), "--alter", clauses, "--alter-foreign-keys-method=auto", "--no-check-alter", "--preserve-triggers", "--execute"}
	if d.dsn.HasPassword() {
		command = append(command, "--ask-pass")
	}
	if d.flavor.Vendor == schema.MySQL && d.flavor.AtLeast(8, 4) {
		// SHOW SLAVE HOSTS, by which releases of the tool before 3.7 look for
		// replicas as well, is gone from the server.
		command = append(command, "--recursion-method=processlist")
	}
	return append(command, fmt.Sprintf("%s,D=%s,t=%s,u=%s", place, escapePT(d.dsn.Database), escapePT(table), escapePT(d.dsn.User)))
}

// escapePT writes a value of the tool's DSN, in which commas separate.
func escapePT(s string) string { return strings.ReplaceAll(s, ",", `\,`) }
