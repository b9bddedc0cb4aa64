package schema

// Schema is a database's definition: what CREATE statements say, without rows.
// Slices keep the order of the source; names are unquoted.
type Schema struct {
	Name      string // "" when the text names no database
	Charset   string // the database's default, resolved; "" unknown
	Collation string
	Tables    []*Table
	Views     []*View
	Routines  []*Routine
	Triggers  []*Trigger
	Events    []*Event
	Sequences []*Sequence
}

// Pos is a place in a source text. Lines and columns count from 1; the zero Pos
// means that the object was read from a server.
type Pos struct {
	File         string
	Line, Column int
}

// Table is one base table.
type Table struct {
	Name        string
	Engine      string
	Charset     string // resolved; "" only before canonicalisation
	Collation   string
	Columns     []*Column
	PrimaryKey  *Index // nil: none
	Indexes     []*Index
	ForeignKeys []*ForeignKey
	Checks      []*Check
	Partition   *Partitioning // nil: not partitioned
	Options     []Option      // by upper-case key, sorted after canonicalisation
	Comment     string
	SystemVer   bool // MariaDB: WITH SYSTEM VERSIONING
	Periods     []Period
	RenamedFrom string // from "@renamed from=old"
	Raw         string // the source or SHOW CREATE text, for an exact way back
	Pos         Pos
}

// Option is a table option that the model does not name, as in ROW_FORMAT=DYNAMIC.
type Option struct{ Key, Value string }

// Period is a PERIOD FOR clause.
type Period struct{ Name, Start, End string }

// Column is one column.
type Column struct {
	Name        string
	Type        Type
	Nullable    bool
	Default     Default
	OnUpdateNow int // -1: no ON UPDATE; otherwise the fractional digits of CURRENT_TIMESTAMP
	Generated   *Generated
	AutoInc     bool
	AutoRandom  string // TiDB: the arguments, "" when not AUTO_RANDOM
	Charset     string // resolved for textual types, "" for others
	Collation   string
	Comment     string
	Invisible   bool
	Compressed  string // MariaDB: COMPRESSED, with its method if any
	SRID        *uint32
	NoSysVer    bool // MariaDB: WITHOUT SYSTEM VERSIONING
	RowStart    bool // MariaDB: GENERATED ALWAYS AS ROW START
	RowEnd      bool
	Options     []Option // what the model does not name, as COLUMN_FORMAT and ENGINE_ATTRIBUTE
	RenamedFrom string
	Pos         Pos
}

// Type is a column type in canonical spelling.
type Type struct {
	Base     string // lower case: "int", "varchar", "decimal", "enum", "geometry", "uuid", …
	Length   int    // characters, bytes, digits or fractional seconds; -1 when the type has none
	Scale    int    // of decimal, float and double; -1 when none
	Unsigned bool
	Zerofill bool
	Values   []string // of enum and set
}

// DefaultKind tells what stands after DEFAULT.
type DefaultKind int

// The kinds of default. A nullable column without a default and one with
// DEFAULT NULL are different things on some servers.
const (
	NoDefault DefaultKind = iota
	NullDefault
	LiteralDefault // Text is the decoded value
	BitDefault     // Text is binary digits
	NowDefault     // CURRENT_TIMESTAMP with the column's fractional digits
	ExprDefault    // Text is an expression
)

// Default is a column's default.
type Default struct {
	Kind    DefaultKind
	Text    string
	Numeric bool // the literal was written without quotes
}

// Generated is a generated column's expression.
type Generated struct {
	Expr   Expr
	Stored bool
}

// Expr is an expression as written and in the form used to compare.
type Expr struct {
	Raw   string
	Canon string // "" before canonicalisation
}

// IndexKind tells the kinds of index apart.
type IndexKind int

// The kinds of index.
const (
	PlainIndex IndexKind = iota
	UniqueIndex
	PrimaryIndex
	FulltextIndex
	SpatialIndex
	VectorIndex
)

// Index is a key of a table.
type Index struct {
	Name        string
	Kind        IndexKind
	Parts       []IndexPart
	Algorithm   string // "btree", "hash" or ""
	Parser      string // WITH PARSER
	Comment     string
	KeyBlock    int
	Invisible   bool     // MySQL INVISIBLE, MariaDB IGNORED
	Options     []Option // what the model does not name, as VECTOR's M
	AutoName    bool     // the server makes the name up
	ForeignKey  bool     // made by the server for a foreign key
	RenamedFrom string
}

// IndexPart is one column or expression of an index.
type IndexPart struct {
	Column string // "" for an expression
	Expr   Expr
	Prefix int // characters or bytes; 0: the whole column
	Desc   bool
}

// ForeignKey is a reference to another table.
type ForeignKey struct {
	Name       string
	AutoName   bool
	Columns    []string
	RefSchema  string // "" for the same database
	RefTable   string
	RefColumns []string
	OnDelete   string // "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT" or "NO ACTION", which is RESTRICT in other words
	OnUpdate   string
	IndexName  string
}

// Check is a CHECK constraint.
type Check struct {
	Name     string
	AutoName bool
	Expr     Expr
	Enforced bool
	Column   string // of an inline check; "" for a table's
}

// Partitioning is a PARTITION BY clause.
type Partitioning struct {
	Method    string // "RANGE", "RANGE COLUMNS", "LIST", "LIST COLUMNS", "HASH", "KEY", "SYSTEM_TIME"
	Linear    bool
	Algorithm int
	Expr      Expr
	Columns   []string
	Count     int // of HASH and KEY without named partitions
	Parts     []Partition
	Sub       *Partitioning
	Clause    string // what the fields above can't say, as in SYSTEM_TIME's INTERVAL
}

// Partition is one named partition.
type Partition struct {
	Name    string
	Values  string // the text after VALUES, as in "LESS THAN (10)"
	Options []Option
	Subs    []Partition
}

// View is a view.
type View struct {
	Name      string
	Columns   []string
	Algorithm string
	Definer   string
	Security  string
	Check     string // "", "LOCAL" or "CASCADED"
	Body      string // the SELECT
	Stored    Stored
	Pos       Pos
}

// Stored is the session state that is part of a stored object's identity.
type Stored struct {
	SQLMode   string
	Charset   string // character_set_client
	Collation string // collation_connection
	Database  string // the database's collation
	Raw       string // the whole CREATE statement
}

// Routine is a stored procedure or function.
type Routine struct {
	Name      string
	Function  bool
	Aggregate bool   // MariaDB: AGGREGATE FUNCTION
	Definer   string // as in SQL: `user`@`host`, a role, or CURRENT_USER
	Header    string // parameters, returns and characteristics
	Body      string
	Stored    Stored
	Pos       Pos
}

// Trigger is a trigger.
type Trigger struct {
	Name    string
	Table   string
	Timing  string // BEFORE or AFTER
	Event   string // INSERT, UPDATE or DELETE
	Order   string // FOLLOWS x, PRECEDES x or ""
	Definer string
	Body    string
	Stored  Stored
	Pos     Pos
}

// Event is a scheduled event.
type Event struct {
	Name     string
	Definer  string
	Schedule string // AT … or EVERY … with STARTS and ENDS
	Preserve bool   // ON COMPLETION PRESERVE
	Status   string // ENABLE, DISABLE, DISABLE ON SLAVE
	Comment  string
	TimeZone string
	Body     string
	Stored   Stored
	Pos      Pos
}

// Sequence is a MariaDB sequence.
type Sequence struct {
	Name                              string
	Start, Min, Max, Increment, Cache int64
	Cycle                             bool
	Pos                               Pos
}

// Table returns the table of that name, nil if there is none. Case matters as
// it does on a server with lower_case_table_names=0.
func (s *Schema) Table(name string) *Table {
	for _, t := range s.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}
