package schema_test

import (
	"context"
	"database/sql"
	"maps"
	"os"
	"strings"
	"testing"

	"moult/core/database"
	"moult/core/database/embedded"
	"moult/core/schema"
	"moult/core/schema/parse"
)

func TestMain(m *testing.M) { os.Exit(embedded.Main(m)) }

// noJournal keeps nothing: the marks in the database decide.
type noJournal struct{}

func (noJournal) Append(string, any) error { return nil }
func (noJournal) Sync() error              { return nil }

// read parses a definition or fails the test.
func read(t testing.TB, name, sql string, fl schema.Flavor) *schema.Schema {
	t.Helper()
	s, err := parse.Text(name, sql, fl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// site is a database with a schema and rows in it.
type site struct {
	t    testing.TB
	db   *database.DB
	pool *sql.DB
}

// execute runs statements that end with ";;".
func execute(t testing.TB, pool *sql.DB, statements string) {
	t.Helper()
	for _, statement := range strings.Split(statements, ";;\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := pool.Exec(statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}

func newSite(t testing.TB, statements string) *site {
	t.Helper()
	dsn := embedded.ForTest(t)
	pool, err := embedded.Connect(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	execute(t, pool, statements)
	parsed, err := database.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(context.Background(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &site{t, db, pool}
}

func (s *site) schema() *schema.Schema {
	s.t.Helper()
	got, err := s.db.Introspect(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

func (s *site) rows() map[string]string {
	s.t.Helper()
	sums, err := s.db.Checksum(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return sums
}

func (s *site) mustEqual(what string, want *schema.Schema) {
	s.t.Helper()
	if same, differences := schema.Equal(s.schema(), want); !same {
		s.t.Fatalf("%s:\n%s", what, strings.Join(differences, "\n"))
	}
}

// inDatabase is what a definition means in the database of another one.
func inDatabase(s, live *schema.Schema, fl schema.Flavor) *schema.Schema {
	n := *s
	n.Charset, n.Collation = live.Charset, live.Collation
	return schema.Canonical(&n, fl)
}

// blocked runs every query of the plan's hazards, which must all work before
// the plan, and returns the codes of those that stop it.
func (s *site) blocked(p *schema.Plan) []string {
	s.t.Helper()
	var codes []string
	for _, step := range p.Steps {
		for _, h := range step.Hazards {
			if h.Count == "" {
				continue
			}
			var n int
			if err := s.pool.QueryRow(h.Count).Scan(&n); err != nil {
				s.t.Fatalf("%s: %v\n%s", h.Code, err, h.Count)
			}
			rows, err := s.pool.Query(h.Sample)
			if err != nil {
				s.t.Fatalf("%s: %v\n%s", h.Code, err, h.Sample)
			}
			sampled := rows.Next()
			rows.Close()
			if sampled != (n > 0) {
				s.t.Errorf("%s: %d rows, sample %v\n%s", h.Code, n, sampled, h.Sample)
			}
			if h.Blocks && n > 0 {
				codes = append(codes, h.Code)
			}
		}
	}
	return codes
}

// there runs all steps of a plan, back undoes them.
func (s *site) there(p *schema.Plan) {
	s.t.Helper()
	for _, phase := range []schema.Phase{schema.Expand, schema.Contract} {
		if err := s.db.Run(context.Background(), p, phase, noJournal{}, nil); err != nil {
			s.t.Fatalf("%v\n%s", err, script(p))
		}
	}
}

func (s *site) back(p *schema.Plan) {
	s.t.Helper()
	for _, phase := range []schema.Phase{schema.Contract, schema.Expand} {
		if _, err := s.db.Undo(context.Background(), p, phase, noJournal{}, nil); err != nil {
			s.t.Fatalf("undo: %v\n%s", err, script(p))
		}
	}
}

// script lists a plan for a failure's message.
func script(p *schema.Plan) string {
	if p == nil {
		return "no plan"
	}
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.ID + " " + string(s.Phase) + " " + s.Object + ": " + s.Change + "\n" + s.SQL + "\n  probe " + s.Probe + "\n")
		for _, i := range s.Inverse {
			b.WriteString("  back: " + i.SQL + "\n    probe " + i.Probe + "\n")
		}
	}
	return b.String()
}

// roundTrips are changes from one schema to another, with rows that must
// survive the way there and back. Statements end with ";;".
var roundTrips = []struct{ name, from, to, rows string }{
	{"add and drop columns",
		"CREATE TABLE users (id int NOT NULL AUTO_INCREMENT, name varchar(40) NOT NULL, fax varchar(20) NOT NULL, age int DEFAULT 3, PRIMARY KEY (id))",
		"CREATE TABLE users (id int NOT NULL AUTO_INCREMENT, email varchar(100) NOT NULL, name varchar(40) NOT NULL, PRIMARY KEY (id), KEY mail (email))",
		"INSERT INTO users (name, fax, age) VALUES ('a', '1', NULL), ('b', '2', 7)"},
	{"create and drop tables with foreign keys",
		"CREATE TABLE p (id int PRIMARY KEY) ;;\nCREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT cp FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
		"CREATE TABLE q (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES q (id)) ;;\nCREATE TABLE c (id int PRIMARY KEY, q int, CONSTRAINT cq FOREIGN KEY (q) REFERENCES q (id))",
		"INSERT INTO p VALUES (1),(2) ;;\nINSERT INTO c VALUES (1,1),(2,2),(3,NULL)"},
	{"widen",
		"CREATE TABLE t (id int NOT NULL PRIMARY KEY, a varchar(10) NOT NULL, b tinyint NOT NULL DEFAULT 1, c enum('x','y') DEFAULT 'x')",
		"CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, a varchar(300) NULL, b int NOT NULL DEFAULT 1, c enum('x','y','z') DEFAULT 'x')",
		"INSERT INTO t VALUES (1,'abc',2,'y')"},
	{"indexes",
		"CREATE TABLE t (id int PRIMARY KEY, a int, b int, c varchar(50), KEY (a), UNIQUE KEY ab (a,b), KEY c (c(10)))",
		"CREATE TABLE t (id int PRIMARY KEY, a int, b int, c varchar(50), KEY (b), UNIQUE KEY ab (b,a), KEY cc (c(10)), FULLTEXT KEY f (c))",
		"INSERT INTO t VALUES (1,2,3,'x'),(2,2,4,'y')"},
	{"primary key and auto increment",
		"CREATE TABLE t (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a,b))",
		"CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, a int NOT NULL, b int NOT NULL, PRIMARY KEY (id), UNIQUE KEY (a,b))",
		"INSERT INTO t VALUES (1,1),(2,1),(2,2)"},
	{"drop the auto increment key",
		"CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, a int NOT NULL, PRIMARY KEY (id), KEY a (a))",
		"CREATE TABLE t (a int NOT NULL, PRIMARY KEY (a))",
		"INSERT INTO t VALUES (5,1),(9,2)"},
	{"move columns",
		"CREATE TABLE t (a int, b int, c int, d int, e int)",
		"CREATE TABLE t (e int, a int, x int, c int, b int)",
		"INSERT INTO t VALUES (1,2,3,4,5)"},
	{"checks and generated columns",
		"CREATE TABLE t (a int, b int, g int AS (a + b) STORED, CONSTRAINT pos CHECK (a > 0), CHECK (b < 100))",
		"CREATE TABLE t (a int, b int, g int AS (a * b) VIRTUAL, h int AS (a + 1) STORED, CONSTRAINT pos CHECK (a > -10), CHECK (a < b))",
		"INSERT INTO t (a,b) VALUES (1,2),(3,4)"},
	{"options",
		"CREATE TABLE t (a varchar(10)) ENGINE=MyISAM COMMENT='x' DEFAULT CHARSET=latin1",
		"CREATE TABLE t (a varchar(10)) ENGINE=InnoDB COMMENT='y' ROW_FORMAT=COMPRESSED DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
		"INSERT INTO t VALUES ('x'),('y')"},
	{"parent key changes type under a foreign key",
		"CREATE TABLE p (id int PRIMARY KEY) ;;\nCREATE TABLE c (id int PRIMARY KEY, p int, CONSTRAINT cp FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL)",
		"CREATE TABLE p (id bigint PRIMARY KEY) ;;\nCREATE TABLE c (id int PRIMARY KEY, p bigint, CONSTRAINT cp FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL)",
		"INSERT INTO p VALUES (1) ;;\nINSERT INTO c VALUES (1,1)"},
	{"defaults and comments",
		"CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 1, b varchar(9) DEFAULT 'x' COMMENT 'c', c datetime DEFAULT NULL, d timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, e text)",
		"CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 2, b varchar(9) NOT NULL DEFAULT '' COMMENT 'd''e', c datetime DEFAULT CURRENT_TIMESTAMP, d timestamp NULL DEFAULT NULL, e text DEFAULT 'q')",
		"INSERT INTO t (id) VALUES (1),(2)"},
	{"drop columns of every kind",
		"CREATE TABLE t (id int PRIMARY KEY, a date NOT NULL, b datetime NOT NULL, c timestamp NOT NULL DEFAULT '2001-01-01 00:00:00', d time NOT NULL, e year NOT NULL, f decimal(9,2) NOT NULL, g double NOT NULL, h bit(3) NOT NULL, i enum('p','q') NOT NULL, j set('p','q') NOT NULL, k text NOT NULL, l blob NOT NULL, m json NOT NULL, n binary(3) NOT NULL, o varbinary(9) NOT NULL, p char(2) NOT NULL, q mediumblob NOT NULL)",
		"CREATE TABLE t (id int PRIMARY KEY)",
		"INSERT INTO t VALUES (1,'2011-01-01','2011-01-01 10:00:00','2012-01-01 00:00:00','10:00:01',2020,1.5,2.5,b'101','q','p,q','text',x'00ff','{\"a\":1}','abc','de','f','bytes')"},
	{"drop columns of MariaDB's own types",
		"CREATE TABLE t (id int PRIMARY KEY, q uuid NOT NULL, r inet6 NOT NULL)",
		"CREATE TABLE t (id int PRIMARY KEY)",
		"INSERT INTO t VALUES (1,'123e4567-e89b-12d3-a456-426614174000','::1')"},
	{"system versioning and sequences",
		"CREATE SEQUENCE s1 START WITH 5 INCREMENT BY 2 ;;\nCREATE TABLE t (a int)",
		"CREATE SEQUENCE s2 START WITH 7 ;;\nCREATE TABLE t (a int, b bigint DEFAULT (NEXT VALUE FOR s2))",
		"INSERT INTO t VALUES (1)"},
	{"views, triggers and routines",
		"CREATE TABLE t (a int, b int) ;;\nCREATE VIEW v AS SELECT a FROM t ;;\nCREATE VIEW w AS SELECT a FROM v ;;\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1 ;;\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END ;;\nCREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x + 1",
		"CREATE TABLE t (a int, b int) ;;\nCREATE VIEW w AS SELECT a, b FROM t ;;\nCREATE VIEW v AS SELECT b FROM w ;;\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 2 ;;\nCREATE PROCEDURE p() BEGIN SELECT 3; END ;;\nCREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x + 1",
		"INSERT INTO t VALUES (1,1)"},
	{"partitions",
		"CREATE TABLE t (a int, b int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE) ;;\nCREATE TABLE u (a int)",
		"CREATE TABLE t (a int, b int, c int) PARTITION BY HASH (a) PARTITIONS 3 ;;\nCREATE TABLE u (a int) PARTITION BY KEY (a) PARTITIONS 2",
		"INSERT INTO t VALUES (1,2),(20,3) ;;\nINSERT INTO u VALUES (4)"},
	{"partitions come and go with their rows",
		"CREATE TABLE t (a int, b int, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN (30)) ;;\nCREATE TABLE u (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10)) ;;\nCREATE TABLE v (a int, b int) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1), PARTITION p1 VALUES IN (2)) ;;\nCREATE TABLE w (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)",
		"CREATE TABLE t (a int, b int, PRIMARY KEY (a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10)) ;;\nCREATE TABLE u (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE) ;;\nCREATE TABLE v (a int, b int) PARTITION BY LIST (a) (PARTITION p0 VALUES IN (1)) ;;\nCREATE TABLE w (a int) PARTITION BY RANGE (a) (PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)",
		"INSERT INTO t VALUES (1,2),(11,3),(12,4),(21,5) ;;\nINSERT INTO u VALUES (4) ;;\nINSERT INTO v VALUES (1,1),(2,2),(2,3) ;;\nINSERT INTO w VALUES (1),(11),(100)"},
	{"narrow columns of every kind",
		"CREATE TABLE log (n int) ;;\nCREATE TABLE t (id int PRIMARY KEY, a varchar(50) NOT NULL, b int NOT NULL, c decimal(12,3), d int NULL, e enum('x','y','z') NOT NULL, f set('p','q','r'), g text, h datetime(6), i varchar(40) CHARACTER SET utf8mb4, j bigint unsigned, k varchar(20), l datetime, m int, n varchar(30), o double, upd timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, u int, UNIQUE KEY (u)) ;;\nCREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
		"CREATE TABLE log (n int) ;;\nCREATE TABLE t (id int PRIMARY KEY, a varchar(5) NOT NULL, b tinyint NOT NULL, c decimal(6,1), d int NOT NULL DEFAULT 7, e enum('y','w','x') NOT NULL DEFAULT 'x', f set('r','p'), g varchar(6) NOT NULL, h datetime, i varchar(40) CHARACTER SET latin1, j int, k int, l date, m varchar(20), n char(3) CHARACTER SET ascii, o decimal(5,2), upd timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, u int NOT NULL, UNIQUE KEY (u)) ;;\nCREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
		"INSERT INTO t VALUES (1,'abcdefgh',1000,12345.678,NULL,'z','p,q','a long text','2020-01-01 10:00:00.123456','äöü€漢',18446744073709551615,'12','2020-01-01 10:11:12',5,'ä and more ',1.23456,'2001-01-01 00:00:00',1),(2,'ab',5,1.5,3,'x','r','short','2020-01-01 10:00:00','abc',7,NULL,NULL,NULL,'abc',NULL,'2002-01-01 00:00:00',2)"},
	{"narrow a column while its key changes its width",
		"CREATE TABLE t (id int unsigned PRIMARY KEY, a varchar(50) NOT NULL) ;;\nCREATE TABLE u (id bigint PRIMARY KEY, a varchar(50) NOT NULL)",
		"CREATE TABLE t (id bigint PRIMARY KEY, a varchar(5) NOT NULL) ;;\nCREATE TABLE u (id int unsigned PRIMARY KEY, a varchar(5) NOT NULL)",
		"INSERT INTO t VALUES (4294967295,'abcdefgh'),(0,'ab') ;;\nINSERT INTO u VALUES (4294967295,'abcdefgh'),(7,'ab')"},
	{"narrow a column without any key",
		"CREATE TABLE t (a varchar(50))",
		"CREATE TABLE t (a varchar(5))",
		"INSERT INTO t VALUES ('abc')"},
}

func TestPlanReachesTheTargetAndComesBack(t *testing.T) {
	for _, tt := range roundTrips {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, "SELECT 1")
			fl := s.db.Flavor()
			if mariaOnly := strings.Contains(tt.from, "SEQUENCE") || strings.Contains(tt.from, "uuid"); mariaOnly && fl.Vendor != schema.MariaDB {
				t.Skip("only MariaDB has this")
			}
			execute(t, s.pool, tt.from+";;\n"+tt.rows)
			live := s.schema()
			target := read(t, "to.sql", delimited(tt.to), fl)
			rows := s.rows()
			p, err := schema.NewPlan(live, target, schema.Options{Flavor: fl, UpdateID: "u1"})
			if err != nil {
				t.Fatal(err)
			}
			if p.Empty() {
				t.Fatal("the plan is empty")
			}
			if codes := s.blocked(p); codes != nil {
				t.Fatalf("blocked by %v", codes)
			}
			proved, reason, err := s.db.Cost(context.Background(), p, live)
			if err != nil {
				t.Fatal(err)
			}
			// A partition that has no rows counts as set aside.
			if !proved && tt.name != "partitions come and go with their rows" {
				t.Errorf("not proved on a clone: %s\n%s", reason, script(p))
			}
			s.there(p)
			s.mustEqual("after the plan\n"+script(p), inDatabase(target, live, fl))
			again, err := schema.NewPlan(s.schema(), target, schema.Options{Flavor: fl, UpdateID: "u2"})
			if err != nil || !again.Empty() {
				t.Fatalf("a second plan is not empty: %v\n%s", err, script(again))
			}
			if err := s.db.Matches(context.Background(), p.Target); err != nil {
				t.Errorf("the plan's target: %v", err)
			}
			s.back(p)
			s.mustEqual("after undoing", live)
			if got := s.rows(); !maps.Equal(got, rows) {
				t.Errorf("rows differ after undoing: %v, want %v", got, rows)
			}
		})
	}
}

// since are rows that the new release writes before somebody goes back.
var since = []struct{ name, from, to, rows, write, query, want string }{
	{"a dropped counter numbers them",
		"CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, a int NOT NULL, PRIMARY KEY (id))",
		"CREATE TABLE t (a int NOT NULL, PRIMARY KEY (a))",
		"INSERT INTO t VALUES (5,1),(9,2)", "INSERT INTO t VALUES (3),(4)",
		"SELECT GROUP_CONCAT(CONCAT(id, ':', a) ORDER BY a) FROM t", "5:1,9:2,10:3,11:4"},
	{"a dropped column without default has an empty value",
		"CREATE TABLE t (id int PRIMARY KEY, s varchar(9) NOT NULL)",
		"CREATE TABLE t (id int PRIMARY KEY)",
		"INSERT INTO t VALUES (1,'x')", "INSERT INTO t VALUES (2)",
		"SELECT GROUP_CONCAT(CONCAT(id, ':', s) ORDER BY id) FROM t", "1:x,2:"},
	{"a widened column is cut to what fits",
		"CREATE TABLE log (n int) ;;\nCREATE TABLE t (id int PRIMARY KEY, s varchar(3), n tinyint NULL) ;;\nCREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (1)",
		"CREATE TABLE log (n int) ;;\nCREATE TABLE t (id int PRIMARY KEY, s varchar(30), n int NULL) ;;\nCREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (1)",
		"INSERT INTO t VALUES (1,'abc',1)", "INSERT INTO t VALUES (2,'abcdef',1000)",
		"SELECT CONCAT(GROUP_CONCAT(CONCAT(id, ':', s, ':', n) ORDER BY id), ' ', (SELECT COUNT(*) FROM log)) FROM t", "1:abc:1,2:abc:127 0"},
	{"NOT NULL comes back over NULLs",
		"CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL)",
		"CREATE TABLE t (id int PRIMARY KEY, d date NULL)",
		"INSERT INTO t VALUES (1,'2020-01-01')", "INSERT INTO t VALUES (2,NULL)",
		"SELECT GROUP_CONCAT(CONCAT(id, ':', d) ORDER BY id) FROM t", "1:2020-01-01,2:2000-01-01"},
	{"what was written over a cut value stays",
		"CREATE TABLE t (id int PRIMARY KEY, s varchar(9))",
		"CREATE TABLE t (id int PRIMARY KEY, s varchar(3))",
		"INSERT INTO t VALUES (1,'abcdef'),(2,'ghijkl'),(3,'mnopqr')", "UPDATE t SET s='new' WHERE id=2 ;;\nDELETE FROM t WHERE id=3",
		"SELECT GROUP_CONCAT(CONCAT(id, ':', s) ORDER BY id) FROM t", "1:abcdef,2:new"},
	{"rows of a partition that went are joined with those written since",
		"CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
		"CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10))",
		"INSERT INTO t VALUES (1),(11)", "INSERT INTO t VALUES (2)",
		"SELECT GROUP_CONCAT(a ORDER BY a) FROM t", "1,2,11"},
	{"a cascade does not reach the rows of a dropped table",
		"CREATE TABLE p (id int PRIMARY KEY) ;;\nCREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)",
		"CREATE TABLE p (id int PRIMARY KEY)",
		"INSERT INTO p VALUES (1),(2) ;;\nINSERT INTO c VALUES (1,1),(2,2)", "DELETE FROM p WHERE id=1",
		"SELECT GROUP_CONCAT(id ORDER BY id) FROM c", "1,2"},
}

func TestRowsWrittenSinceSurviveRollBack(t *testing.T) {
	for _, tt := range since {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.from+";;\n"+tt.rows)
			fl := s.db.Flavor()
			live := s.schema()
			p, err := schema.NewPlan(live, read(t, "to.sql", delimited(tt.to), fl), schema.Options{Flavor: fl, UpdateID: "u1"})
			if err != nil {
				t.Fatal(err)
			}
			s.there(p)
			execute(t, s.pool, tt.write)
			s.back(p)
			var got string
			if err := s.pool.QueryRow(tt.query).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("rows are %s, want %s\n%s", got, tt.want, script(p))
			}
		})
	}
}

// delimited makes a file of statements that end with ";;".
func delimited(sql string) string { return "DELIMITER ;;\n" + sql + ";;\nDELIMITER ;\n" }
