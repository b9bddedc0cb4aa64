package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"moult/core/schema"
)

// rig is a site with a plan, and what it is before and after.
type rig struct {
	*site
	plan          *schema.Plan
	before, after map[string]string
}

func newRig(t *testing.T, old []string, target string) *rig {
	r := &rig{site: newSite(t, old...)}
	r.before = r.sums()
	r.plan = r.site.plan(target)
	r.run(r.plan)
	r.after = r.sums()
	r.reset()
	return r
}

// reset brings the site back to its start, with nothing kept aside.
func (r *rig) reset() {
	r.t.Helper()
	r.undo(r.plan)
	r.sameSums(r.before, "after going back")
	if err := r.Discard(r.t.Context(), r.plan); err != nil {
		r.t.Fatal(err)
	}
}

// pass is the whole way in one direction.
type pass func(ctx context.Context, d *DB, p *schema.Plan, j Journal) error

func there(ctx context.Context, d *DB, p *schema.Plan, j Journal) error {
	for _, phase := range phaseOrder {
		if err := d.Run(ctx, p, phase, j, nil); err != nil {
			return err
		}
	}
	return nil
}

func back(ctx context.Context, d *DB, p *schema.Plan, j Journal) error {
	_, err := d.Undo(ctx, p, "", j, nil)
	return err
}

// recover opens the site anew, as another process does, ends what was begun in
// the given direction, and looks at the outcome.
func (r *rig) recover(to pass, name string) {
	r.t.Helper()
	d, err := Open(r.t.Context(), r.dsn)
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	defer d.Close()
	d.waits = quick
	if err := to(r.t.Context(), d, r.plan, nil); err != nil {
		r.t.Fatalf("%s: recovery fails: %v", name, err)
	}
	r.check(name)
}

// check demands that the site is old or new, with its rows.
func (r *rig) check(name string) {
	r.t.Helper()
	isNew := r.Matches(r.t.Context(), r.plan.Target) == nil
	isOld := r.Matches(r.t.Context(), r.plan.Start) == nil
	switch sums := r.sums(); {
	case isNew && maps.Equal(sums, r.after), isOld && maps.Equal(sums, r.before):
	case isNew || isOld:
		r.t.Fatalf("%s: the schema is new %v, old %v, and the rows are %v;\nbefore %v\nafter %v", name, isNew, isOld, sums, r.before, r.after)
	default:
		r.t.Fatalf("%s: the site is neither old nor new: %v; %v", name, r.Matches(r.t.Context(), r.plan.Start), r.Matches(r.t.Context(), r.plan.Target))
	}
}

// cutter breaks connections at the n-th packet that is sent through it.
type cutter struct {
	sync.Mutex
	at    int // 0: never
	sent  int
	after bool // the packet still reaches the server; only the answer is lost
	down  bool // from then on nothing can be reached
	cut   bool
}

var errCut = errors.New("cut by the test")

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.Lock()
	defer c.Unlock()
	if c.cut && c.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c *cutter
}

func (c *cutConn) Write(b []byte) (int, error) {
	c.c.Lock()
	defer c.c.Unlock()
	if c.c.cut && c.c.down {
		c.Close()
		return 0, errCut
	}
	c.c.sent++
	if c.c.sent != c.c.at {
		return c.Conn.Write(b)
	}
	c.c.cut = true
	if c.c.after {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
	}
	c.Close()
	if c.c.after {
		return len(b), nil // the answer never comes
	}
	return 0, errCut
}

// through opens the rig's database through the cutter.
func (r *rig) through(c *cutter) (*DB, error) {
	config, err := r.dsn.config()
	if err != nil {
		return nil, err
	}
	config.DialFunc = c.dial
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	d, err := open(r.t.Context(), r.dsn, connector)
	if err != nil {
		return nil, err
	}
	d.waits = quick
	d.waits.reconnect = 0
	d.waits.watch = 1 << 40 // the watcher's packets would make the count vary
	return d, nil
}

// cutCases are the ways in which a connection is lost.
var cutCases = []struct {
	name        string
	after, down bool
}{
	{"before the statement", false, false},
	{"after the statement", true, false},
	{"before the statement, for good", false, true},
	{"after the statement, for good", true, true},
}

func TestConnectionCutAtEveryPacketEndsOldOrNew(t *testing.T) {
	notShort(t)
	r := newRig(t, shopOld, shopNew)
	tried := 0
	for _, way := range []struct {
		name      string
		begin, do pass
	}{{"there", nil, there}, {"back", there, back}} {
		whole := &cutter{}
		count := r.cutPass(way.begin, way.do, whole, "without a cut")
		for _, c := range cutCases {
			for _, n := range points(count, 2) {
				name := fmt.Sprintf("%s, cut %s, packet %d of %d", way.name, c.name, n, count)
				r.cutPass(way.begin, way.do, &cutter{at: n, after: c.after, down: c.down}, name)
				tried++
			}
		}
	}
	tally(t, tried, "cuts of the connection")
}

// cutPass goes one way through a cutter and returns how many packets it took.
func (r *rig) cutPass(begin, do pass, c *cutter, name string) int {
	r.t.Helper()
	if begin != nil {
		if err := begin(r.t.Context(), r.DB, r.plan, nil); err != nil {
			r.t.Fatal(err)
		}
	}
	d, err := r.through(c)
	if err == nil {
		err = do(r.t.Context(), d, r.plan, nil)
		d.Close()
		if err == nil {
			r.check(name)
		} else if !c.cut {
			r.t.Fatalf("%s: fails although nothing was cut: %v", name, err)
		} else if !c.down {
			r.t.Fatalf("%s: one lost connection is not got over: %v", name, err)
		}
	}
	to := there
	if c.at%2 == 0 {
		to = back
	}
	r.recover(to, name)
	r.reset()
	return c.sent
}

func TestConnectionCutDuringScriptsEndsOldOrNew(t *testing.T) {
	notShort(t)
	r := &rig{site: countSite(t)}
	r.before = r.sums()
	const want = "12,16,100"
	rows := func() string {
		return r.text("SELECT GROUP_CONCAT(n ORDER BY id) FROM t")
	}
	scripts := func(d *DB, isBack bool) error {
		if isBack {
			_, err := d.UndoScripts(t.Context(), "u1", countScripts, nil, nil)
			return err
		}
		return d.RunScripts(t.Context(), "u1", countScripts, nil, nil)
	}
	// cutOne goes one way through a cutter, then the same way without, and back
	// to where it began.
	cutOne := func(isBack bool, c *cutter, name string) {
		if d, err := r.through(c); err == nil {
			if err := scripts(d, isBack); err != nil && !c.down {
				t.Fatalf("%s: %v", name, err)
			}
			d.Close()
		}
		if err := scripts(r.DB, isBack); err != nil {
			t.Fatal(err)
		}
		if got := rows(); !isBack && got != want {
			t.Fatalf("%s: rows %s", name, got)
		}
		if isBack {
			r.sameSums(r.before, name)
		}
		if err := scripts(r.DB, !isBack); err != nil {
			t.Fatal(err)
		}
	}
	tried := 0
	for _, isBack := range []bool{false, true} {
		whole := &cutter{}
		cutOne(isBack, whole, "without a cut")
		for _, way := range cutCases {
			for _, n := range points(whole.sent, 2) {
				cutOne(isBack, &cutter{at: n, after: way.after, down: way.down}, fmt.Sprintf("back %v, cut %s at packet %d", isBack, way.name, n))
				tried++
			}
		}
		if err := scripts(r.DB, false); err != nil { // the way back begins here
			t.Fatal(err)
		}
	}
	tally(t, tried, "cuts of the connection")
}
