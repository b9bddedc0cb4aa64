package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"moult/core/schema"
)

// killPatience is how long a statement may go on after it was told to stop. The
// servers end a copying ALTER in 0.2 s; the rest is for a busy machine.
const killPatience = 30 * time.Second

// execute runs one statement under its session variables. When ctx ends, the
// statement is killed on the server: closing our end alone would let an ALTER go
// on, or begin later. look, which may be nil, is called now and then meanwhile.
// After an error nobody knows whether the statement has happened; the caller asks
// its probe.
func (d *DB) execute(ctx context.Context, st schema.Statement, look func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := d.session(ctx)
	if err != nil {
		return err
	}
	text, err := encode(st.SQL, st.Session["character_set_client"])
	if err != nil {
		return err
	}
	restore, err := setVariables(ctx, conn, st.Session)
	if err != nil {
		return d.noteLoss(err)
	}
	err = d.interruptible(ctx, conn, text, look)
	if restore == "" || isLost(err) {
		return d.noteLoss(err)
	}
	if _, undoErr := conn.ExecContext(context.WithoutCancel(ctx), restore); undoErr != nil {
		// A new session begins with our settings; inside a transaction its
		// owner sees that the connection is another one.
		d.drop()
	}
	return d.noteLoss(err)
}

// executeAll runs statements one after the other under the same variables. It
// returns the last one that was begun.
func (d *DB) executeAll(ctx context.Context, statements []string, variables map[string]string) (last string, err error) {
	conn, err := d.session(ctx)
	if err != nil {
		return "", err
	}
	restore, err := setVariables(ctx, conn, variables)
	if err != nil {
		return "", d.noteLoss(err)
	}
	for _, last = range statements {
		if err = d.interruptible(ctx, conn, last, nil); err != nil {
			break
		}
	}
	if restore == "" || isLost(err) {
		return last, d.noteLoss(err)
	}
	if _, undoErr := conn.ExecContext(context.WithoutCancel(ctx), restore); undoErr != nil && err == nil {
		err = undoErr
	}
	return last, d.noteLoss(err)
}

// noteLoss closes a connection that an error says is lost. The driver may have
// given one up when a context ended, and may not.
func (d *DB) noteLoss(err error) error {
	switch {
	case err == nil || d.conn == nil:
	case isCancelled(err):
		ctx, cancel := context.WithTimeout(context.Background(), dialPatience)
		defer cancel()
		if d.conn.PingContext(ctx) != nil {
			d.drop()
		}
	case isLost(err):
		d.drop()
	}
	return err
}

// interruptible runs one statement and kills it when ctx ends.
func (d *DB) interruptible(ctx context.Context, conn *sql.Conn, statement string, look func()) error {
	inner, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	result := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(inner, statement)
		result <- err
	}()
	tick := time.NewTicker(d.waits.watch)
	defer tick.Stop()
	for {
		select {
		case err := <-result:
			return err
		case <-tick.C:
			if look != nil {
				look()
			}
		case <-ctx.Done():
			d.killUntil(result, abandon)
			return fmt.Errorf("%w while running: %s", ctx.Err(), shorten(statement, 120))
		}
	}
}

// killUntil tells the server to stop our statement until it has ended. A kill
// can come a moment too early for the server to notice, so it is repeated.
func (d *DB) killUntil(result <-chan error, abandon func()) {
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	for {
		_, _ = d.pool.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", d.id)) // it may have ended by itself
		select {
		case <-result:
			return
		case <-ctx.Done():
			abandon()
			<-result
			return
		case <-time.After(d.waits.watch):
		}
	}
}

// literalValue is a value of a variable that needs no quotes.
var literalValue = regexp.MustCompile(`^(-?[0-9]+(\.[0-9]+)?|NULL|DEFAULT|ON|OFF)$`)

// variableName is the name of a session variable.
var variableName = regexp.MustCompile(`^[a-z_0-9]+$`)

// setVariables sets variables of the session and returns the statement that
// sets them back, "" if there are none.
func setVariables(ctx context.Context, q querier, variables map[string]string) (restore string, err error) {
	if len(variables) == 0 {
		return "", nil
	}
	var set, back []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !variableName.MatchString(name) {
			return "", fmt.Errorf("session variable %q: no such name", name)
		}
		var old sql.NullString
		if err := q.QueryRowContext(ctx, "SELECT @@SESSION."+name).Scan(&old); err != nil {
			return "", fmt.Errorf("session variable %s: %w", name, err)
		}
		set = append(set, assign(name, variables[name]))
		if !old.Valid {
			old.String = "NULL"
		}
		back = append(back, assign(name, old.String))
	}
	if _, err := q.ExecContext(ctx, "SET "+strings.Join(set, ", ")); err != nil {
		return "", fmt.Errorf("set the session's variables: %w", err)
	}
	return "SET " + strings.Join(back, ", "), nil
}

func assign(name, value string) string {
	if !literalValue.MatchString(value) {
		value = schema.QuoteText(value)
	}
	return "SESSION " + name + "=" + value
}

// probe asks whether a statement has happened. A statement without a probe may
// be run twice and counts as not done.
func (d *DB) probe(ctx context.Context, st schema.Statement) (bool, error) {
	if st.Probe == "" {
		return false, nil
	}
	conn, err := d.session(ctx)
	if err != nil {
		return false, err
	}
	var done sql.NullInt64
	err = conn.QueryRowContext(ctx, st.Probe).Scan(&done)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, d.noteLoss(fmt.Errorf("ask whether it has happened (%s): %w", st.Probe, err))
	}
	return done.Int64 != 0, nil
}
