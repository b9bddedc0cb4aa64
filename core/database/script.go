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

// Script is a publisher's data script: SQL that changes rows, and the SQL that
// takes it back, "" if there is none.
type Script struct {
	Name string
	SQL  string
	Undo string
}

// scriptVerbs are the statements that a script may hold. Everything else would
// commit the transaction behind our back, or could.
var scriptVerbs = []string{"INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT", "WITH", "SET", "DO", "VALUES"}

// scriptVariables may not be set by a script: the run depends on them.
var scriptVariables = []string{"AUTOCOMMIT", "GLOBAL", "PERSIST", "PASSWORD", "TRANSACTION"}

// CheckScripts reads the scripts without running them. The error names the
// statement that can't stand in a script.
func CheckScripts(scripts []Script) error {
	for _, s := range scripts {
		for _, text := range []string{s.SQL, s.Undo} {
			if _, err := scriptStatements(s.Name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// scriptStatements cuts a script into its statements.
func scriptStatements(name, text string) ([]string, error) {
	split := parse.NewSplitter(name, strings.NewReader(text))
	split.KeepRows = true
	var statements []string
	for {
		st, err := split.Next()
		if err == io.EOF {
			return statements, nil
		}
		if err != nil {
			return nil, err
		}
		if err := checkScriptStatement(st); err != nil {
			return nil, err
		}
		statements = append(statements, st.Text)
	}
}

func checkScriptStatement(st parse.Statement) error {
	if !slices.Contains(scriptVerbs, st.Verb) {
		return &parse.Error{Pos: st.Pos, Near: shorten(st.Text, 40),
			Reason: "a data script runs in one transaction and may hold only " + strings.Join(scriptVerbs, ", ") + "; definitions belong into the schema"}
	}
	if st.Verb != "SET" {
		return nil
	}
	words := strings.FieldsFunc(strings.ToUpper(st.Text), func(r rune) bool { return r == ' ' || r == '=' || r == '.' || r == '@' || r == '\t' || r == '\n' })
	if len(words) > 1 && slices.ContainsFunc(words[1:min(len(words), 4)], func(w string) bool { return slices.Contains(scriptVariables, w) }) {
		return &parse.Error{Pos: st.Pos, Near: shorten(st.Text, 40), Reason: "a data script may not change how the server or the transaction works"}
	}
	return nil
}

// scriptKey is the mark of a script.
func scriptKey(name string) string { return "script " + name }

// RunScripts runs data scripts in the order of their names, each in one
// transaction with its mark: a script has run as a whole or not at all, and
// never twice in one update.
func (d *DB) RunScripts(ctx context.Context, update string, scripts []Script, j Journal, report func(Progress)) error {
	if err := CheckScripts(scripts); err != nil || len(scripts) == 0 {
		return err
	}
	return d.exclusively(ctx, nil, func() error {
		r, err := d.newRun(ctx, update, j, report)
		if err != nil {
			return err
		}
		r.total = len(scripts)
		for _, s := range byScriptName(scripts) {
			if r.marks[scriptKey(s.Name)] != done {
				if err := r.script(ctx, s.Name, s.SQL, done); err != nil {
					return err
				}
			}
			r.done++
		}
		return r.sync()
	})
}

// UndoScripts takes back the scripts that have run, last first, each in one
// transaction with the removal of its mark. The notes name the scripts that have
// no way back.
func (d *DB) UndoScripts(ctx context.Context, update string, scripts []Script, j Journal, report func(Progress)) (notes []string, err error) {
	if err := CheckScripts(scripts); err != nil || len(scripts) == 0 {
		return nil, err
	}
	err = d.exclusively(ctx, nil, func() error {
		r, err := d.newRun(ctx, update, j, report)
		if err != nil {
			return err
		}
		ordered := byScriptName(scripts)
		slices.Reverse(ordered)
		r.total = len(ordered)
		for _, s := range ordered {
			if r.marks[scriptKey(s.Name)] == done {
				if strings.TrimSpace(s.Undo) == "" {
					notes = append(notes, fmt.Sprintf("The data script %s has no undo; the rows that it changed stay as they are.", s.Name))
				}
				if err := r.script(ctx, s.Name, s.Undo, ""); err != nil {
					return err
				}
			}
			r.done++
		}
		return errors.Join(r.forgetIfEmpty(ctx), r.sync())
	})
	return notes, err
}

// byScriptName returns the scripts in the order in which they run.
func byScriptName(scripts []Script) []Script {
	return slices.SortedStableFunc(slices.Values(scripts), func(a, b Script) int { return strings.Compare(a.Name, b.Name) })
}

// script runs the statements of a script, and marks it with to, or removes its
// mark for "".
func (r *run) script(ctx context.Context, name, text string, to mark) error {
	statements, err := scriptStatements(name, text)
	if err != nil {
		return err
	}
	step := &schema.Step{ID: scriptKey(name), Object: "rows", Change: name}
	p := Progress{Step: step.ID, Object: step.Object, Change: step.Change, Done: r.done, Total: r.total, Fraction: -1}
	r.send(p)
	if err := r.note(RecordBegin, Record{Statement: step.ID}); err != nil {
		return err
	}
	last := ""
	err = r.d.insist(ctx, func() error {
		_, err := r.transaction(ctx, step.ID, to, func() (err error) {
			last, err = r.d.executeAll(ctx, statements, scriptSession)
			return err
		})
		return err
	})
	if err != nil {
		failure := &StepError{Step: step.ID, Object: step.Object, Change: step.Change, SQL: last, Err: err}
		return errors.Join(failure, r.note(RecordEnd, Record{Statement: step.ID, Error: failure.Error()}))
	}
	p.Done, p.Fraction = r.done+1, 1
	r.send(p)
	return r.note(RecordEnd, Record{Statement: step.ID})
}

// scriptSession is what a publisher expects of a session.
var scriptSession = map[string]string{"sql_mode": scriptMode}

// forgetIfEmpty drops the table of marks if nothing is marked any more.
func (r *run) forgetIfEmpty(ctx context.Context) error {
	if len(r.marks) > 0 {
		return nil
	}
	return r.forget(ctx)
}
