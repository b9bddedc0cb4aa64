package database

import (
	"fmt"
	"net"
	"regexp"
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

// LeftError says that a run has come to a step that is left to an external tool
// and that the tool has not done yet. The run is continued by calling Run again.
type LeftError struct{ Step schema.Step }

// Error names the step.
func (e *LeftError) Error() string {
	return fmt.Sprintf("%s (%s: %s) is left to another tool and has not happened yet", e.Step.ID, e.Step.Object, e.Step.Change)
}

// Leave names the steps, by ID, that an external tool does. Run stops before
// each with a *[LeftError] until its probe sees that it has happened.
func (d *DB) Leave(steps ...string) {
	d.left = map[string]bool{}
	for _, id := range steps {
		d.left[id] = true
	}
}

// alterClauses splits an ALTER TABLE of a plan.
var alterClauses = regexp.MustCompile("(?s)^ALTER TABLE `((?:[^`]|``)+)`\\s+(.+)$")

// OnlineCommand returns the command line by which a tool does a step, to be
// shown and copied. It holds no password: both tools ask for it. A step that is
// no ALTER of a single table is an error.
func (d *DB) OnlineCommand(tool Tool, s *schema.Step) ([]string, error) {
	m := alterClauses.FindStringSubmatch(s.SQL)
	if m == nil || s.DML {
		return nil, fmt.Errorf("%s (%s: %s) is no ALTER TABLE; %s can't do it", s.ID, s.Object, s.Change, tool)
	}
	table := strings.ReplaceAll(m[1], "``", "`")
	clauses := strings.Join(strings.Fields(m[2]), " ")
	if strings.ContainsAny(m[2], "'\"") {
		clauses = strings.TrimSpace(m[2]) // blanks inside of a text count
	}
	switch tool {
	case PtOnlineSchemaChange:
		return d.ptCommand(table, clauses), nil
	case GhOst:
		if d.dsn.Network == "unix" {
			return nil, fmt.Errorf("gh-ost connects by TCP only, and the site by the socket %s", d.dsn.Address)
		}
		host, port, err := net.SplitHostPort(d.dsn.Address)
		if err != nil {
			return nil, fmt.Errorf("address %s: %w", d.dsn.Address, err)
		}
		return []string{string(GhOst), "--host=" + host, "--port=" + port, "--user=" + d.dsn.User, "--ask-pass",
			"--database=" + d.dsn.Database, "--table=" + table, "--alter=" + clauses, "--allow-on-master", "--execute"}, nil
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
	return append(command, fmt.Sprintf("%s,D=%s,t=%s,u=%s", place, escapePT(d.dsn.Database), escapePT(table), escapePT(d.dsn.User)))
}

// escapePT writes a value of the tool's DSN, in which commas separate.
func escapePT(s string) string { return strings.ReplaceAll(s, ",", `\,`) }
