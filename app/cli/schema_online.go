package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"moult/core/database"
	"moult/core/schema"
)

// leaving are the flags by which large tables are left to an online tool.
type leaving struct {
	tables []string
	larger string
}

func (l *leaving) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&l.tables, "leave", nil, "tables whose slow statements are left to an online tool, as in orders,events")
	f.StringVar(&l.larger, "leave-larger-than", "", "leave the slow statements of every table that is larger, as in 1GB")
}

// steps returns the IDs of the steps that the flags leave.
func (l *leaving) steps(ctx context.Context, db *database.DB, pl *schema.Plan) ([]string, error) {
	var larger uint64
	if l.larger != "" {
		var err error
		if larger, err = humanize.ParseBytes(l.larger); err != nil || larger == 0 {
			return nil, usagef("--leave-larger-than %s: want a size, as in 500MB or 2GB", l.larger)
		}
	}
	if len(l.tables) == 0 && larger == 0 {
		return nil, nil
	}
	ids, err := db.Leavable(ctx, pl, l.tables, int64(larger))
	if err != nil {
		return nil, err
	}
	for _, table := range l.tables {
		left := func(s schema.Step) bool { return s.Table == table && slices.Contains(ids, s.ID) }
		if !slices.ContainsFunc(pl.Steps, left) {
			return nil, usagef("--leave %s: the plan has no statement on this table that writes it anew or holds up its writers", table)
		}
	}
	return ids, nil
}

// leftName is the file in a journal directory that lists the steps left to a tool.
const leftName = "left.json"

func writeLeft(dir string, ids []string) error {
	if ids == nil {
		return nil
	}
	b, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, leftName), b, 0o600)
}

// readLeft returns the steps that a run leaves to a tool, none if there is no list.
func readLeft(dir string) (ids []string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, leftName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &ids)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, leftName), err)
	}
	return ids, nil
}

// leftDoc is a statement that waits for a tool, as --json shows it.
type leftDoc struct {
	ID       string     `json:"id"`
	Object   string     `json:"object"`
	Change   string     `json:"change"`
	SQL      string     `json:"sql"`
	Commands [][]string `json:"commands"` // ways to do it, each by itself
}

// onlineTools in the order in which they are offered.
var onlineTools = []database.Tool{database.PtOnlineSchemaChange, database.GhOst}

// waiting prints what is left to tools, as a shell script, and returns the outcome.
func (r *schemaRun) waiting(left *database.LeftError, next string) error {
	docs := make([]leftDoc, len(left.Steps))
	for i := range left.Steps {
		s := &left.Steps[i]
		docs[i] = leftDoc{ID: s.ID, Object: s.Object, Change: s.Change, SQL: s.SQL}
		for _, tool := range onlineTools {
			// A tool that can't reach this server, or that is not for it, is not offered.
			if command, err := r.db.OnlineCommand(tool, s); err == nil {
				docs[i].Commands = append(docs[i].Commands, command)
			}
		}
	}
	if r.json {
		return errors.Join(r.printJSON(map[string]any{"state": "waiting", "journal": r.dir, "left": docs}), errWaiting)
	}
	for _, d := range docs {
		r.printf("# %s: %s", d.Object, d.Change)
		for i, command := range d.Commands {
			if i == 0 {
				r.printf("%s", shellLine(command))
			} else {
				r.printf("# or: %s", shellLine(command))
			}
		}
	}
	r.sayf("What does not need it is done. After the tool, go on with: moult schema %s DSN %s", next, r.dir)
	return errWaiting
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellLine writes a command so that a shell reads the same words.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if !plainWord.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}
