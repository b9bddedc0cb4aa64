package database

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"moult/core/database/embedded"
)

// crashOld is large enough for an ALTER that copies it to take a while.
var crashOld = []string{
	"CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(100) NOT NULL, c varchar(50) DEFAULT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a))",
	"CREATE TABLE small (id int NOT NULL PRIMARY KEY, big int DEFAULT NULL, KEY big (big))",
	"INSERT INTO big (a, b, c) SELECT seq, IF(seq % 3 = 0, REPEAT('x', 60), CONCAT('b', seq)), IF(seq % 2 = 0, NULL, MD5(seq)) FROM seq_1_to_10000",
	"INSERT INTO small SELECT seq, seq FROM seq_1_to_1000",
}

const (
	crashBig   = "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(100) NOT NULL, c varchar(50) DEFAULT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a));"
	crashSmall = "CREATE TABLE small (id int NOT NULL PRIMARY KEY, big int DEFAULT NULL, KEY big (big));"
)

// crashCases are the kinds of change, each by itself.
var crashCases = []struct{ name, target string }{
	{"copy", crashSmall + "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a bigint NOT NULL, b varchar(100) NOT NULL, c varchar(50) DEFAULT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a))"},
	{"rebuild", crashSmall + "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int DEFAULT NULL, b varchar(100) NOT NULL, c varchar(50) DEFAULT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a))"},
	{"index and column", crashSmall + "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(100) NOT NULL, c varchar(50) DEFAULT NULL, d int NOT NULL DEFAULT 7, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a), KEY b (b), KEY d (d))"},
	{"drop a column", crashSmall + "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(100) NOT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP)"},
	{"drop a table", crashSmall},
	{"narrow", crashSmall + "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(20) NOT NULL, c varchar(50) NOT NULL DEFAULT 'none', changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a))"},
	{"foreign key", crashBig + "CREATE TABLE small (id int NOT NULL PRIMARY KEY, big int DEFAULT NULL, KEY big (big), CONSTRAINT f FOREIGN KEY (big) REFERENCES big (id) ON DELETE SET NULL)"},
	{"stored programs", crashBig + crashSmall + "CREATE VIEW v AS SELECT a FROM big; CREATE TRIGGER t BEFORE INSERT ON big FOR EACH ROW SET NEW.a = NEW.a + 1; CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x"},
}

// crashRig is a rig on a server of its own, which may be killed.
type crashRig struct {
	*rig
	server *embedded.Server
}

func (c *crashRig) start() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Options{Dir: c.server.Dir, Fast: true})
	if err != nil {
		c.t.Fatal(err)
	}
	c.server = server
}

func newCrashRig(t *testing.T) *crashRig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Options{Dir: t.TempDir(), Fast: true})
	if errors.Is(err, embedded.ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &crashRig{rig: &rig{}, server: server}
	t.Cleanup(func() { c.server.Stop() })
	if err := server.CreateDatabase(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	dsn, err := ParseDSN(server.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	app, err := embedded.Connect(server.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	c.site = &site{t: t, dsn: dsn, app: app}
	c.exec(crashOld...)
	c.DB = c.site.open()
	c.before = c.sums()
	return c
}

func TestServerKilledDuringEachKindOfChangeEndsOldOrNew(t *testing.T) {
	notShort(t)
	c := newCrashRig(t)
	fractions := []int{50}
	if torture {
		fractions = []int{2, 5, 9, 15, 22, 30, 37, 45, 50, 55, 63, 70, 80, 90, 97}
	}
	tried := 0
	for n, kind := range crashCases {
		c.plan = c.site.plan(kind.target)
		began := time.Now()
		c.run(c.plan)
		took := time.Since(began)
		c.after = c.sums()
		c.reset()
		for _, percent := range fractions {
			for i, way := range []pass{there, back} {
				if !torture && i != n%2 {
					continue
				}
				to := []pass{there, back}[(n+i+percent)%2]
				name := fmt.Sprintf("%s, way %d, killed after %d %% of %v, recovered %d", kind.name, i, percent, took, (n+i+percent)%2)
				c.killed(way, time.Duration(percent)*took/100, i == 1)
				c.recover(to, name)
				c.reset()
				tried++
			}
		}
	}
	tally(t, tried, "kills of the server")
}

// killed runs one way and kills the server on it, then starts it again.
func (c *crashRig) killed(way pass, after time.Duration, isBack bool) {
	c.t.Helper()
	if isBack {
		if err := there(c.t.Context(), c.DB, c.plan, nil); err != nil {
			c.t.Fatal(err)
		}
	}
	d := c.site.open()
	d.waits.reconnect, d.waits.attempts = 0, 1
	ended := make(chan error, 1)
	go func() { ended <- way(c.t.Context(), d, c.plan, nil) }()
	time.Sleep(after)
	c.server.Kill()
	<-ended
	c.start()
	// Sessions of the rig were lost as well.
	c.DB.drop()
	if err := c.app.Ping(); err != nil {
		c.t.Fatal(err)
	}
}
