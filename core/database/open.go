package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"moult/core/schema"
)

// DB is one database of a server, for one goroutine at a time. Everything that
// changes it goes over one connection with settings of its own; a second one
// watches and kills.
type DB struct {
	dsn    DSN
	flavor schema.Flavor
	server server
	pool   *sql.DB
	waits  waits
	left   map[string]bool // IDs of the steps that an external tool does

	conn *sql.Conn // nil: lost, to be opened again
	id   int64     // of conn on the server
	// locked is true while conn holds the server's lock for this database;
	// ours are the statements that are run under it.
	locked bool
	ours   []string
}

// waits are the times that are waited for; tests shorten them.
type waits struct {
	lock      time.Duration // for another Moult to let go of the database
	reconnect time.Duration // for a lost server to come back
	pause     time.Duration // after a failed attempt, growing with each
	watch     time.Duration // between two looks at a running statement
	attempts  int
}

// defaultWaits: five attempts of lockWait seconds with growing pauses between
// them, in which the statements that queued up behind us run.
var defaultWaits = waits{
	lock:      20 * time.Second,
	reconnect: time.Minute,
	pause:     time.Second,
	watch:     500 * time.Millisecond,
	attempts:  5,
}

// querier is what can be asked: a connection or a pool.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Open connects and finds out what server it is. A failure is a *[ConnectError]
// unless ctx ended.
func Open(ctx context.Context, dsn DSN) (*DB, error) {
	connector, err := dsn.connector()
	if err != nil {
		return nil, err
	}
	return open(ctx, dsn, connector)
}

// open is Open over any way to connect.
func open(ctx context.Context, dsn DSN, connector driver.Connector) (*DB, error) {
	d := &DB{dsn: dsn, pool: sql.OpenDB(connector), waits: defaultWaits}
	d.pool.SetMaxIdleConns(1)
	if err := d.connect(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// Close lets go of the database.
func (d *DB) Close() error {
	d.drop()
	return d.pool.Close()
}

// Flavor returns the kind and version of the server.
func (d *DB) Flavor() schema.Flavor { return d.flavor }

// Name returns the name of the database.
func (d *DB) Name() string { return d.dsn.Database }

// connect opens the connection that changes things.
func (d *DB) connect(ctx context.Context) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return explain(d.dsn, err)
	}
	if err := d.prepare(ctx, conn); err != nil {
		_ = conn.Close()
		return explain(d.dsn, err)
	}
	d.conn = conn
	return nil
}

// prepare asks who answers on a new connection and makes our settings on it.
func (d *DB) prepare(ctx context.Context, conn *sql.Conn) error {
	if err := d.server.ask(ctx, conn); err != nil {
		return err
	}
	f, err := flavorOf(d.server.version)
	if err != nil {
		return err
	}
	if first := oldest[f.Vendor]; !f.AtLeast(first...) {
		text := fmt.Sprintf("%s: the server is %s, which is too old; it takes MySQL 5.7, MariaDB 10.5 or TiDB 7.5, or newer", d.dsn, f)
		return &ConnectError{TooOld, text, nil}
	}
	d.flavor = f
	if _, err := conn.ExecContext(ctx, settingsFor(f)); err != nil {
		return fmt.Errorf("make the settings of the session: %w", err)
	}
	return conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&d.id)
}

// drop closes the connection, really: it must not go back to the pool with our
// lock and our settings on it.
func (d *DB) drop() {
	if d.conn == nil {
		return
	}
	_ = d.conn.Raw(func(any) error { return driver.ErrBadConn }) // so the pool closes it
	_ = d.conn.Close()
	d.conn = nil
}

// session returns the connection, opened again if it was lost. Then it also
// gets the lock back, which ends what the lost one may still be doing.
func (d *DB) session(ctx context.Context) (*sql.Conn, error) {
	if d.conn != nil {
		return d.conn, nil
	}
	lost := d.id
	deadline := time.Now().Add(d.waits.reconnect)
	for {
		err := d.connect(ctx)
		if err == nil {
			break
		}
		if !isLost(err) || time.Now().After(deadline) {
			return nil, err
		}
		if err := sleep(ctx, d.waits.pause); err != nil {
			return nil, err
		}
	}
	if d.locked {
		if err := d.getLock(ctx, lost); err != nil {
			d.drop()
			return nil, err
		}
	}
	return d.conn, nil
}

// LockedError says that another Moult works on the database.
type LockedError struct {
	Database string
	Holder   Blocker
}

// Error names the holder.
func (e *LockedError) Error() string {
	return fmt.Sprintf("database %s is in the hands of another Moult: %s", e.Database, e.Holder)
}

// lockName is the name of the server's lock for the database; MySQL takes at
// most 64 characters.
func (d *DB) lockName() string {
	name := "moult:" + d.dsn.Database
	if len(name) <= 64 {
		return name
	}
	return fmt.Sprintf("moult:%x", sha256.Sum256([]byte(d.dsn.Database)))[:64]
}

// exclusively runs do while no other Moult can change the database. A holder of
// the lock that still executes one of our statements is left over from a process
// that died in the same update, and is ended.
func (d *DB) exclusively(ctx context.Context, ours []string, do func() error) error {
	if d.locked {
		return do()
	}
	d.ours = ours
	err := d.insist(ctx, func() error {
		if _, err := d.session(ctx); err != nil {
			return err
		}
		return d.getLock(ctx, 0)
	})
	if err != nil {
		return err
	}
	d.locked = true
	defer func() {
		d.locked, d.ours = false, nil
		if d.conn == nil {
			return
		}
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialPatience)
		defer cancel()
		if _, err := d.conn.ExecContext(free, "DO RELEASE_LOCK(?)", d.lockName()); err != nil {
			d.drop() // which releases it as well
		}
	}()
	return do()
}

// getLock waits for the lock. A holder that is the connection we lost, or that
// executes a statement of ours, is nobody any more.
func (d *DB) getLock(ctx context.Context, lost int64) error {
	deadline := time.Now().Add(d.waits.lock)
	for {
		var got sql.NullInt64
		if err := d.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, 1)", d.lockName()).Scan(&got); err != nil {
			return fmt.Errorf("lock database %s: %w", d.dsn.Database, err)
		}
		if got.Int64 == 1 {
			return nil
		}
		holder, err := d.lockHolder(ctx)
		if err != nil {
			return err
		}
		if holder.Connection == lost || slices.Contains(d.ours, holder.Statement) {
			_, _ = d.pool.ExecContext(ctx, fmt.Sprintf("KILL %d", holder.Connection)) // gone already is just as well
		}
		if time.Now().After(deadline) {
			return &LockedError{d.dsn.Database, holder}
		}
	}
}

// lockHolder returns who holds the lock.
func (d *DB) lockHolder(ctx context.Context) (Blocker, error) {
	var id sql.NullInt64
	if err := d.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK(?)", d.lockName()).Scan(&id); err != nil {
		return Blocker{}, fmt.Errorf("look who locks database %s: %w", d.dsn.Database, err)
	}
	all, err := d.processes(ctx, d.conn)
	if err != nil {
		return Blocker{}, err
	}
	for _, b := range all {
		if b.Connection == id.Int64 {
			return b, nil
		}
	}
	return Blocker{Connection: id.Int64}, nil
}

// insist repeats an attempt that may succeed later, with growing pauses. A lost
// connection is opened again by the next attempt.
func (d *DB) insist(ctx context.Context, attempt func() error) error {
	for n := 1; ; n++ {
		err := d.noteLoss(attempt())
		if err == nil || !isRetryable(err) || n >= d.waits.attempts || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, time.Duration(n)*d.waits.pause); err != nil {
			return err
		}
	}
}

// sleep waits, or returns the error of a context that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// isCancelled reports whether err is the end of a context.
func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
