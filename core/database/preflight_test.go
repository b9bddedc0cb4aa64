package database

import (
	"strings"
	"testing"
	"time"

	"moult/core/schema"
)

func (s *site) findings(d *DB, p *schema.Plan) []Finding {
	s.t.Helper()
	all, err := d.Preflight(s.t.Context(), p)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestPreflightOfAHealthySiteBlocksNothingAndLeavesNothing(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	for _, f := range s.findings(s.DB, p) {
		if f.Level == levelBlock {
			t.Errorf("blocked: %+v", f)
		}
	}
	if n := s.text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE '\\_moult\\_%'"); n != "0" {
		t.Errorf("%s objects are left behind", n)
	}
}

func TestPreflightNamesTheRightThatIsMissing(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL)")
	d := s.limited("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX")
	found := s.findings(d, p)
	for _, f := range found {
		if f.Code == "database rights" && f.Level == levelBlock && strings.Contains(f.Text, "ALTER") {
			return
		}
	}
	t.Errorf("no finding names ALTER: %+v", found)
}

func TestPreflightNamesALongTransaction(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	tx, err := s.app.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var id string
	if err := tx.QueryRow("SELECT CONNECTION_ID() FROM customers LIMIT 1").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool {
		for _, f := range s.findings(s.DB, p) {
			if f.Code == "database sessions" && f.Level == levelWarn && strings.Contains(f.Text, "connection "+id+" ") {
				return true
			}
		}
		return false
	}) {
		t.Errorf("connection %s is not named: %+v", id, s.findings(s.DB, p))
	}
}

// eventually repeats a look for some seconds, not too often: InnoDB shows in innodb_trx
// what it showed before as long as that is read more than ten times a second.
func eventually(look func() bool) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(150 * time.Millisecond) {
		if look() {
			return true
		}
	}
	return false
}

func TestPreflightBlocksAReadOnlyServer(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL)")
	s.exec("SET GLOBAL read_only = 1")
	found := s.findings(s.DB, p)
	s.exec("SET GLOBAL read_only = 0")
	if !hasFinding(found, "database read-only", levelBlock) {
		t.Errorf("%+v", found)
	}
}

func TestPreflightNamesTablesWithoutTransactions(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY) ENGINE=MyISAM", "CREATE TABLE other (id int PRIMARY KEY) ENGINE=MyISAM")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL) ENGINE=MyISAM; CREATE TABLE other (id int PRIMARY KEY) ENGINE=MyISAM")
	for _, f := range s.findings(s.DB, p) {
		if f.Code == "database engines" && strings.Contains(f.Text, "t (MyISAM)") && !strings.Contains(f.Text, "other") {
			return
		}
	}
	t.Error("the table is not named")
}

func TestPreflightCountsAndShowsTheRowsInTheWay(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a int)", "INSERT INTO t VALUES (1, 5), (2, 5), (3, NULL)")
	p := &schema.Plan{UpdateID: "u1", Steps: []schema.Step{{
		ID: "s01", Object: "table t", Change: "add unique index a",
		Hazards: []schema.Hazard{
			{Code: "U1", Text: "values occur more than once", Count: "SELECT COUNT(*) FROM (SELECT a FROM t WHERE a IS NOT NULL GROUP BY a HAVING COUNT(*) > 1) AS d", Sample: "SELECT a, COUNT(*) AS n FROM t GROUP BY a HAVING n > 1", Blocks: true},
			{Code: "N1", Text: "NULL becomes 0", Count: "SELECT COUNT(*) FROM t WHERE a IS NULL"},
			{Code: "L1", Text: "nothing is too long", Count: "SELECT COUNT(*) FROM t WHERE a > 100", Blocks: true},
		},
	}}}
	found := s.findings(s.DB, p)
	if !hasFinding(found, "schema U1", levelBlock) || !hasFinding(found, "schema N1", levelWarn) || hasFinding(found, "schema L1", levelBlock) {
		t.Fatalf("%+v", found)
	}
	for _, f := range found {
		if f.Code == "schema U1" && (len(f.Rows) != 1 || f.Rows[0] != "a = 5, n = 2") {
			t.Errorf("rows %q", f.Rows)
		}
	}
}

func TestPreflightTellsOfAnotherMoult(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	other := s.open()
	err := other.exclusively(t.Context(), nil, func() error {
		if found := s.findings(s.DB, &schema.Plan{UpdateID: "u1"}); !hasFinding(found, "database lock", levelBlock) {
			t.Errorf("%+v", found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPreflightTellsWhoseProgramsTheUserMayNotCreate(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	d := s.limited("ALL PRIVILEGES")
	p := &schema.Plan{UpdateID: "u1", Steps: []schema.Step{{ID: "s01", Object: "view v", Change: "create the view",
		Statement: schema.Statement{SQL: "CREATE DEFINER=`somebody`@`elsewhere` VIEW `v` AS SELECT 1 AS n"}}}}
	for _, f := range s.findings(d, p) {
		if f.Code == "database definers" && f.Level == levelBlock && strings.Contains(f.Text, "`somebody`@`elsewhere`") {
			return
		}
	}
	t.Errorf("nobody is told: %+v", s.findings(d, p))
}

func TestPreflightTellsThatEventsWillNotRun(t *testing.T) {
	s := newSite(t)
	p := s.plan("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t")
	was := s.text("SELECT @@GLOBAL.event_scheduler")
	s.exec("SET GLOBAL event_scheduler = OFF")
	found := s.findings(s.DB, p)
	s.exec("SET GLOBAL event_scheduler = " + was)
	if !hasFinding(found, "database events", levelWarn) {
		t.Errorf("%+v", found)
	}
}

func TestPreflightTellsThatEventsMayRunMeanwhile(t *testing.T) {
	s := newSite(t, "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DO DO 1")
	was := s.text("SELECT @@GLOBAL.event_scheduler")
	s.exec("SET GLOBAL event_scheduler = ON")
	found := s.findings(s.DB, &schema.Plan{UpdateID: "u1"})
	s.exec("SET GLOBAL event_scheduler = " + was)
	if !hasFinding(found, "database events", levelWarn) {
		t.Errorf("%+v", found)
	}
}

func TestPreflightWarnsOfServersThatACrashLeavesHalfRenamed(t *testing.T) {
	s := newSite(t)
	for flavor, unsafe := range map[schema.Flavor]bool{
		{Vendor: schema.MariaDB, Version: [3]int{10, 5, 23}}: true,
		{Vendor: schema.MariaDB, Version: [3]int{10, 6, 0}}:  false,
		{Vendor: schema.MySQL, Version: [3]int{5, 7, 44}}:    true,
		{Vendor: schema.MySQL, Version: [3]int{8, 0, 12}}:    false,
	} {
		f := &preflight{ctx: t.Context(), d: &DB{flavor: flavor, dsn: s.dsn}, q: s.conn, plan: &schema.Plan{}}
		found, err := f.version()
		if err != nil || hasFinding(found, "database version", levelWarn) != unsafe {
			t.Errorf("%s: %+v, %v", flavor, found, err)
		}
	}
}
