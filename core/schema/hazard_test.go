package schema_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
)

// hazards are changes that rows can break. With the bad rows the plan is blocked
// by a query before anything happens; with the good ones it is not, and works.
var hazards = []struct{ code, from, to, bad, good string }{
	{"U1", "CREATE TABLE t (id int PRIMARY KEY, a int)", "CREATE TABLE t (id int PRIMARY KEY, a int, UNIQUE KEY a (a))",
		"INSERT INTO t VALUES (1,1),(2,1)", "INSERT INTO t VALUES (1,NULL),(2,NULL),(3,1)"},
	{"U1", "CREATE TABLE t (a int, b int)", "CREATE TABLE t (a int, b int, PRIMARY KEY (a,b))",
		"INSERT INTO t VALUES (1,1),(1,1)", "INSERT INTO t VALUES (1,1),(1,2)"},
	{"U1", "CREATE TABLE t (a varchar(20))", "CREATE TABLE t (a varchar(20), UNIQUE KEY a (a(3)))",
		"INSERT INTO t VALUES ('abcd'),('abce')", "INSERT INTO t VALUES ('abcd'),('abd')"},
	{"U1", "CREATE TABLE t (a varchar(20), KEY a (a))", "CREATE TABLE t (a varchar(20), UNIQUE KEY a (a))",
		"INSERT INTO t VALUES ('a'),('A')", "INSERT INTO t VALUES ('a'),('b')"},
	{"L5", "CREATE TABLE t (a varchar(20) COLLATE utf8mb4_bin, UNIQUE KEY a (a))", "CREATE TABLE t (a varchar(20) COLLATE utf8mb4_general_ci, UNIQUE KEY a (a))",
		"INSERT INTO t VALUES ('a'),('A')", "INSERT INTO t VALUES ('a'),('b')"},
	{"F1", "CREATE TABLE p (id int PRIMARY KEY) ;;\nCREATE TABLE c (p int)", "CREATE TABLE p (id int PRIMARY KEY) ;;\nCREATE TABLE c (p int, FOREIGN KEY (p) REFERENCES p (id))",
		"INSERT INTO c VALUES (1)", "INSERT INTO p VALUES (1) ;;\nINSERT INTO c VALUES (1),(NULL)"},
	{"C1", "CREATE TABLE t (a int)", "CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))",
		"INSERT INTO t VALUES (0)", "INSERT INTO t VALUES (1),(NULL)"},
	{"C1", "CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0))", "CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 10))",
		"INSERT INTO t VALUES (5)", "INSERT INTO t VALUES (11)"},
	{"L1", "CREATE TABLE t (a varchar(20))", "CREATE TABLE t (a varchar(3))",
		"INSERT INTO t VALUES ('abcd')", "INSERT INTO t VALUES ('abc'),(NULL)"},
	{"L1", "CREATE TABLE t (a int)", "CREATE TABLE t (a smallint)",
		"INSERT INTO t VALUES (40000)", "INSERT INTO t VALUES (-32768)"},
	{"L1", "CREATE TABLE t (a decimal(10,3))", "CREATE TABLE t (a decimal(10,1))",
		"INSERT INTO t VALUES (1.234)", "INSERT INTO t VALUES (1.2)"},
	{"L1", "CREATE TABLE t (a text)", "CREATE TABLE t (a varchar(5))",
		"INSERT INTO t VALUES ('abcdef')", "INSERT INTO t VALUES ('abcde')"},
	{"L1", "CREATE TABLE t (a datetime)", "CREATE TABLE t (a date)",
		"INSERT INTO t VALUES ('2020-01-01 10:00:00')", "INSERT INTO t VALUES ('2020-01-01')"},
	{"L1", "CREATE TABLE t (a datetime(3))", "CREATE TABLE t (a datetime)",
		"INSERT INTO t VALUES ('2020-01-01 10:00:00.5')", "INSERT INTO t VALUES ('2020-01-01 10:00:00')"},
	{"L1", "CREATE TABLE t (a varbinary(9))", "CREATE TABLE t (a varbinary(3))",
		"INSERT INTO t VALUES ('abcd')", "INSERT INTO t VALUES ('abc')"},
	{"L1", "CREATE TABLE t (a datetime)", "CREATE TABLE t (a timestamp NULL)",
		"INSERT INTO t VALUES ('1900-01-01')", "INSERT INTO t VALUES ('2020-01-01')"},
	{"L2", "CREATE TABLE t (a int)", "CREATE TABLE t (a int unsigned)",
		"INSERT INTO t VALUES (-1)", "INSERT INTO t VALUES (1)"},
	{"L3", "CREATE TABLE t (a enum('x','y') NOT NULL)", "CREATE TABLE t (a enum('x') NOT NULL)",
		"INSERT INTO t VALUES ('y')", "INSERT INTO t VALUES ('x')"},
	{"L3", "CREATE TABLE t (a enum('x','y') NOT NULL)", "CREATE TABLE t (a enum('z') NOT NULL)",
		"INSERT INTO t VALUES ('y')", "SELECT 1"},
	{"L3", "CREATE TABLE t (a set('x','y'))", "CREATE TABLE t (a set('y'))",
		"INSERT INTO t VALUES ('x,y')", "INSERT INTO t VALUES ('y')"},
	{"L4", "CREATE TABLE t (a varchar(9) CHARACTER SET utf8mb4)", "CREATE TABLE t (a varchar(9) CHARACTER SET latin1)",
		"INSERT INTO t VALUES ('漢')", "INSERT INTO t VALUES ('ä')"},
	{"L6", "CREATE TABLE t (a varchar(9))", "CREATE TABLE t (a int)", "INSERT INTO t VALUES ('x1')", "INSERT INTO t VALUES (NULL)"},
	{"L6", "CREATE TABLE t (a varchar(9))", "CREATE TABLE t (a enum('p','q'))", "INSERT INTO t VALUES ('r')", "INSERT INTO t VALUES (NULL)"},
	{"L6", "CREATE TABLE t (a date)", "CREATE TABLE t (a year)", "INSERT INTO t VALUES ('2020-01-01')", "INSERT INTO t VALUES (NULL)"},
	{"N1", "CREATE TABLE t (a int)", "CREATE TABLE t (a int NOT NULL)",
		"INSERT INTO t VALUES (NULL)", "INSERT INTO t VALUES (1)"},
}

func TestHazardsBlockWhatRowsWouldBreak(t *testing.T) {
	for _, tt := range hazards {
		t.Run(tt.code+" "+strings.TrimPrefix(tt.to, "CREATE TABLE "), func(t *testing.T) {
			for _, rows := range []string{tt.bad, tt.good} {
				s := newSite(t, tt.from+";;\n"+rows)
				fl := s.db.Flavor()
				p, err := schema.NewPlan(s.schema(), read(t, "to", delimited(tt.to), fl), schema.Options{Flavor: fl, UpdateID: "h"})
				if err != nil {
					t.Fatal(err)
				}
				codes := s.blocked(p)
				if rows == tt.bad {
					if !slices.Contains(codes, tt.code) {
						t.Errorf("blocked by %v, want %s\n%s", codes, tt.code, script(p))
					}
					continue
				}
				if codes != nil {
					t.Errorf("good rows are blocked by %v", codes)
				}
				s.there(p)
			}
		})
	}
}

// notices are changes that are only warned of.
var notices = []struct{ code, from, to string }{
	{"D1", "CREATE TABLE t (a int); CREATE TABLE u (a int);", "CREATE TABLE t (a int);"},
	{"D2", "CREATE TABLE t (a int, b int);", "CREATE TABLE t (a int);"},
	{"D3", "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION p VALUES IN (1), PARTITION q VALUES IN (2));", "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION p VALUES IN (1));"},
	{"D4", "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;", "CREATE TABLE t (a int);"},
	{"N2", "CREATE TABLE t (a int);", "CREATE TABLE t (a int, b int NOT NULL);"},
	{"D6", "CREATE TABLE t (a int) WITH SYSTEM VERSIONING;", "CREATE TABLE t (a int);"},
	{"G2", "CREATE TABLE t (a int, g int AS (a + 1) VIRTUAL);", "CREATE TABLE t (a int, g int DEFAULT 0);"},
	{"E1", "CREATE TABLE t (a int) ENGINE=MyISAM;", "CREATE TABLE t (a int) ENGINE=InnoDB;"},
	{"P1", "CREATE TABLE t (a int);", "CREATE TABLE t (a int) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (9));"},
}

func TestHazardsThatRowsDoNotDecide(t *testing.T) {
	for _, tt := range notices {
		t.Run(tt.code, func(t *testing.T) {
			p, err := schema.NewPlan(read(t, "from", tt.from, schema.DefaultMariaDB), read(t, "to", tt.to, schema.DefaultMariaDB), schema.Options{Flavor: schema.DefaultMariaDB})
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, s := range p.Steps {
				for _, h := range s.Hazards {
					codes = append(codes, h.Code)
				}
			}
			if !slices.Contains(codes, tt.code) {
				t.Errorf("hazards are %v, want %s", codes, tt.code)
			}
		})
	}
}

func TestLossOfPastVersionsIsSaidToBeFinal(t *testing.T) {
	fl := schema.DefaultMariaDB
	for _, c := range []struct {
		from, to string
		final    bool
	}{
		{"CREATE TABLE t (a int, b int) WITH SYSTEM VERSIONING;", "CREATE TABLE t (a int);", true},
		{"CREATE TABLE t (a int);", "CREATE TABLE t (a int) WITH SYSTEM VERSIONING;", false},
	} {
		p, err := schema.NewPlan(read(t, "from", c.from, fl), read(t, "to", c.to, fl), schema.Options{Flavor: fl})
		if err != nil {
			t.Fatal(err)
		}
		final := slices.ContainsFunc(p.Steps, func(s schema.Step) bool {
			return s.Risk == schema.CantUndo && slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "does not bring the deleted ones back") })
		})
		if final != c.final {
			t.Errorf("%s to %s: said to be final %v, want %v\n%s", c.from, c.to, final, c.final, script(p))
		}
	}
}

// refusals are targets that no plan may lead to.
var refusals = []struct {
	name, from, to string
	vendor         schema.Flavor
	words          string
}{
	{"a trigger over a column that goes", "CREATE TABLE t (a int, b int);", "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1;", schema.DefaultMariaDB, "trigger g uses column b of table t"},
	{"a trigger over a table that goes", "CREATE TABLE t (a int);", "CREATE TABLE u (a int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;", schema.DefaultMariaDB, "trigger g is on table t"},
	{"a collation of the other vendor", "CREATE TABLE t (a int);", "CREATE TABLE t (a varchar(3) COLLATE utf8mb4_0900_ai_ci);", schema.DefaultMariaDB, "utf8mb4_0900_ai_ci"},
	{"a collation of the other vendor", "CREATE TABLE t (a int);", "CREATE TABLE t (a varchar(3) COLLATE utf8mb4_uca1400_ai_ci);", schema.DefaultMySQL, "utf8mb4_uca1400_ai_ci"},
	{"a name that is too long", "CREATE TABLE t (a int);", "CREATE TABLE t (`" + strings.Repeat("x", 65) + "` int);", schema.DefaultMariaDB, "longer than 64"},
}

func TestPlanRefusesWhatWouldBreakTheSite(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			p, err := schema.NewPlan(read(t, "from", tt.from, tt.vendor), read(t, "to", tt.to, tt.vendor), schema.Options{Flavor: tt.vendor})
			if !errors.Is(err, schema.ErrRefused) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error is %v, want one about %q\n%s", err, tt.words, script(p))
			}
		})
	}
}
