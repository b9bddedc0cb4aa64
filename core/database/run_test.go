package database

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"moult/core/schema"
)

// shopOld is a small product with something of everything, and rows.
var shopOld = []string{
	"CREATE TABLE customers (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL, fax varchar(40) DEFAULT NULL, note text, credit decimal(10,4) DEFAULT NULL, city varchar(20) DEFAULT NULL," +
		" changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY fax (fax))",
	"CREATE TABLE orders (id bigint NOT NULL PRIMARY KEY, customer int unsigned NOT NULL, total int NOT NULL DEFAULT 0, KEY customer (customer), CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE)",
	"CREATE TABLE legacy (id int NOT NULL PRIMARY KEY, customer int unsigned, v varbinary(20), CONSTRAINT legacy_customer FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE)",
	"CREATE VIEW totals AS SELECT customer, SUM(total) AS total FROM orders GROUP BY customer",
	"CREATE TRIGGER orders_in BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = ABS(NEW.total)",
	"INSERT INTO customers (id, name, fax, note, credit, city) VALUES (1, 'Ada', '1', 'a''b', 1.2345, 'Rome'), (2, 'Bob', NULL, NULL, NULL, NULL), (3, 'Čapek', '3', REPEAT('x', 60000), 99999.9999, 'a long city name'), (7, '', '', '', 0, '')",
	"INSERT INTO orders VALUES (1, 1, 10), (2, 1, -20), (3, 3, 5)",
	"INSERT INTO legacy VALUES (1, 1, x'00ff'), (2, NULL, NULL)",
}

// shopNew drops a column and a table, adds, widens, narrows and changes.
const shopNew = `
CREATE TABLE customers (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(200) NOT NULL, note text, credit decimal(10,4) DEFAULT NULL, city varchar(20) DEFAULT NULL, email varchar(100) DEFAULT NULL,
  changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY name (name), UNIQUE KEY email (email));
CREATE TABLE orders (id bigint NOT NULL PRIMARY KEY, customer bigint unsigned NOT NULL, total int NOT NULL DEFAULT 1, KEY customer (customer), CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers (id));
CREATE TABLE labels (id int NOT NULL PRIMARY KEY, label varchar(20) NOT NULL) ENGINE=InnoDB;
CREATE VIEW totals AS SELECT customer, SUM(total) AS total, COUNT(*) AS n FROM orders GROUP BY customer;
CREATE TRIGGER orders_in BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = ABS(NEW.total) + 0;
`

func (s *site) run(p *schema.Plan) {
	s.t.Helper()
	for _, phase := range phaseOrder {
		if err := s.Run(s.t.Context(), p, phase, nil, nil); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.Matches(s.t.Context(), p.Target); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) undo(p *schema.Plan) {
	s.t.Helper()
	if _, err := s.Undo(s.t.Context(), p, "", nil, nil); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Matches(s.t.Context(), p.Start); err != nil {
		s.t.Fatal(err)
	}
}

// sameSums compares the checksums of all tables.
func (s *site) sameSums(want map[string]string, when string) {
	s.t.Helper()
	got := s.sums()
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if got[table] != want[table] {
			s.t.Errorf("%s the rows of %s differ: %s, want %s", when, table, got[table], want[table])
		}
	}
	if len(got) != len(want) {
		s.t.Errorf("%s there are %d tables, want %d", when, len(got), len(want))
	}
}

func TestPlanRunsAndIsTakenBackWithTheRows(t *testing.T) {
	s := newSite(t, shopOld...)
	before := s.sums()
	p := s.plan(shopNew)
	s.run(p)
	s.undo(p)
	s.sameSums(before, "after undo")
}

func TestMarksNeedNoRoomOnTheWayBack(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	want := 0
	for _, step := range p.Steps {
		want += 1 + len(step.Inverse)
	}
	rows := func() string { return s.text("SELECT COUNT(*) FROM " + marksTable) }
	s.run(p)
	if got := rows(); got != strconv.Itoa(want) {
		t.Errorf("%s rows for marks, want %d", got, want)
	}
	if _, err := s.Undo(t.Context(), p, schema.Contract, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := rows(); got != strconv.Itoa(want) {
		t.Errorf("%s rows for marks after half of the way back, want %d", got, want)
	}
	s.undo(p)
	if n := s.text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('" + marksTable + "', '" + reserveTable + "')"); n != "0" {
		t.Errorf("%s tables of ours are left", n)
	}
}
