package schema

import (
	"slices"
)

// operation is a kind of change that servers carry out alike.
type operation string

// The operations of ALTER TABLE that the table of costs knows.
const (
	opAddColumn        operation = "add column"
	opAddColumnExpr    operation = "add column with an expression as default"
	opAddColumnConst   operation = "add column with an expression as default that is the same each time"
	opAddBesideText    operation = "add column to a table with a fulltext index"
	opAddCompressed    operation = "add column to a compressed table"
	opAddStored        operation = "add stored generated column"
	opAddVirtual       operation = "add virtual generated column"
	opDropColumn       operation = "drop column"
	opDropStored       operation = "drop stored generated column"
	opHideColumn       operation = "rename column and hide it"
	opRenameColumn     operation = "rename column"
	opMoveColumn       operation = "move column"
	opColumnDefault    operation = "default, comment or visibility of column"
	opEnumAppend       operation = "append to enum or set"
	opVarcharGrow      operation = "varchar grows on one side of 255 bytes"
	opNullable         operation = "NULL or NOT NULL"
	opColumnType       operation = "type of column"
	opWidenUTF8        operation = "utf8mb3 to utf8mb4"
	opCollation        operation = "collation of column without index"
	opCollationIndexed operation = "collation of column with index"
	opAutoIncrement    operation = "drop AUTO_INCREMENT"
	opAddIndex         operation = "add index"
	opAddFulltext      operation = "add the first fulltext index"
	opAddNextFulltext  operation = "add another fulltext index"
	opDropIndex        operation = "drop index"
	opRenameIndex      operation = "rename index"
	opAddPrimaryKey    operation = "add or change primary key"
	opDropPrimaryKey   operation = "drop primary key"
	opAddForeignKey    operation = "add foreign key"
	opDropForeignKey   operation = "drop foreign key"
	opAddCheck         operation = "add check"
	opDropCheck        operation = "drop check"
	opEngine           operation = "engine"
	opRowFormat        operation = "row format"
	opTableCharset     operation = "default character set of table"
	opTableComment     operation = "comment or statistics option of table"
	opVersioning       operation = "system versioning"
	opPartition        operation = "partitions"
)

// algorithm is how a server carries an operation out; the order is that of cost.
type algorithm int

const (
	instant algorithm = iota
	inplace           // same data file, writes go on
	nocopy            // only indexes are built
	rebuild           // a new data file, writes go on
	inplaceBlocking
	rebuildBlocking
	copyOnline // MariaDB 11.2 and later: a copy during which writes go on
	copying
)

var algorithmNames = [...]string{
	instant: "INSTANT", inplace: "INPLACE", nocopy: "NOCOPY", rebuild: "REBUILD",
	inplaceBlocking: "INPLACE", rebuildBlocking: "REBUILD", copyOnline: "COPY", copying: "COPY",
}

func (a algorithm) blocks() bool {
	return a == inplaceBlocking || a == rebuildBlocking || a == copying
}

func (a algorithm) slow() bool { return a >= rebuild }

// cost is a row of the table: the cheapest algorithm that each server accepted
// when it was asked with ALGORITHM= and LOCK=.
type cost struct {
	mysql57, mysql8, maria10, maria11 algorithm
}

// costs were measured on MySQL 5.7.29 and 9.7.4 and MariaDB 10.11.19 and 11.8.6;
// testdata/costs.txt has the changes from which they come, and a test asks the
// server at hand about each again. opHideColumn is not for 5.7, which hides none;
// versioning and CHECK on 5.7, which passes over it, are from the references.
// Unknown operations count as copies.
var costs = map[operation]cost{
	opAddColumn:        {rebuild, instant, instant, instant},
	opAddColumnExpr:    {copying, copying, copying, copyOnline},
	opAddColumnConst:   {copying, copying, instant, instant},
	opAddBesideText:    {copying, copying, rebuildBlocking, rebuildBlocking},
	opAddCompressed:    {rebuild, rebuild, rebuild, rebuild},
	opAddStored:        {copying, copying, copying, copyOnline},
	opAddVirtual:       {inplace, instant, instant, instant},
	opDropColumn:       {rebuild, instant, instant, instant},
	opDropStored:       {rebuild, instant, instant, instant},
	opHideColumn:       {copying, instant, instant, instant},
	opRenameColumn:     {inplace, instant, instant, instant},
	opMoveColumn:       {rebuild, rebuild, instant, instant},
	opColumnDefault:    {inplace, instant, instant, instant},
	opEnumAppend:       {inplace, instant, instant, instant},
	opVarcharGrow:      {inplace, inplace, instant, instant},
	opNullable:         {rebuild, rebuild, rebuild, rebuild},
	opColumnType:       {copying, copying, copying, copyOnline},
	opWidenUTF8:        {copying, inplace, instant, instant},
	opCollation:        {copying, inplace, instant, instant},
	opCollationIndexed: {copying, copying, nocopy, nocopy},
	opAutoIncrement:    {copying, copying, instant, instant},
	opAddIndex:         {inplace, inplace, nocopy, nocopy},
	opAddFulltext:      {rebuildBlocking, rebuildBlocking, rebuildBlocking, rebuildBlocking},
	opAddNextFulltext:  {inplaceBlocking, inplaceBlocking, inplaceBlocking, inplaceBlocking},
	opDropIndex:        {inplace, inplace, nocopy, nocopy},
	opRenameIndex:      {inplace, inplace, instant, instant},
	opAddPrimaryKey:    {rebuild, rebuild, rebuild, rebuild},
	opDropPrimaryKey:   {copying, copying, copying, copyOnline},
	opAddForeignKey:    {copying, copying, copying, copyOnline},
	opDropForeignKey:   {inplace, inplace, instant, instant},
	opAddCheck:         {instant, copying, copying, copyOnline},
	opDropCheck:        {instant, instant, instant, instant},
	opEngine:           {copying, copying, copying, copyOnline},
	opRowFormat:        {rebuild, rebuild, rebuild, rebuild},
	opTableCharset:     {inplace, inplace, instant, instant},
	opTableComment:     {inplace, inplace, instant, instant},
	opVersioning:       {copying, copying, copying, copying},
	opPartition:        {copying, copying, copying, copyOnline},
}

func (f Flavor) algorithm(op operation) algorithm {
	c, ok := costs[op]
	switch {
	case !ok:
		return copying
	case f.Vendor == MariaDB && f.AtLeast(11, 2):
		return c.maria11
	case op == opCollationIndexed && f.Vendor == MariaDB && !f.AtLeast(10, 11):
		return copying // as 10.5 does
	case f.Vendor == MariaDB:
		return c.maria10
	case f.Vendor == MySQL && !f.AtLeast(8):
		return c.mysql57
	}
	return c.mysql8
}

// estimate returns what an ALTER of all the operations costs: what its dearest
// part does. Tables of other engines than InnoDB are copied.
func (f Flavor) estimate(engine string, ops []operation) algorithm {
	worst := instant
	for _, op := range ops {
		a := f.algorithm(op)
		if engine != "InnoDB" && op != opColumnDefault && op != opTableComment && op != opRenameIndex {
			a = f.algorithm(opEngine)
		}
		worst = max(worst, a)
	}
	return worst
}

// addColumn tells the ways to add a column to a table apart.
func addColumn(c *Column, t *Table) operation {
	switch {
	case c.Generated != nil && c.Generated.Stored:
		return opAddStored
	case c.Generated != nil:
		return opAddVirtual
	case c.Default.Kind == ExprDefault && !t.mentions(c.Default.Text) && !mentionsVolatile(c.Default.Text):
		return opAddColumnConst
	case c.Default.Kind == ExprDefault:
		return opAddColumnExpr
	case c.AutoInc:
		return opColumnType
	case slices.ContainsFunc(t.Indexes, isFulltext):
		return opAddBesideText
	case t.option("ROW_FORMAT") == "COMPRESSED" || t.option("KEY_BLOCK_SIZE") != "":
		return opAddCompressed
	}
	return opAddColumn
}

func isFulltext(x *Index) bool { return x.Kind == FulltextIndex }

func dropColumn(c *Column) operation {
	if c.Generated != nil && c.Generated.Stored {
		return opDropStored
	}
	return opDropColumn
}

// addIndex tells the kinds of index apart. Spatial and vector indexes were not
// measured; they count as the dearest that was.
func addIndex(x *Index, t *Table) operation {
	switch {
	case x.Kind == FulltextIndex && slices.ContainsFunc(t.Indexes, isFulltext):
		return opAddNextFulltext
	case x.Kind == FulltextIndex || x.Kind == SpatialIndex || x.Kind == VectorIndex:
		return opAddFulltext
	}
	return opAddIndex
}

func opOption(key string) operation {
	switch key {
	case "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "MAX_ROWS", "MIN_ROWS", "AVG_ROW_LENGTH":
		return opTableComment
	}
	return opRowFormat
}

// modifyColumn finds the dearest of the differences between two forms of a column.
func modifyColumn(a, b *Column, ta, tb *Table, fl Flavor) operation {
	var ops []operation
	for _, d := range columnDifferences(a, b, ta, tb) {
		switch d {
		case "type":
			ops = append(ops, typeChange(a, b))
		case "null":
			ops = append(ops, opNullable)
		case "character set":
			if a.Charset == "utf8mb3" && b.Charset == "utf8mb4" && sameType(a.Type, b.Type) {
				ops = append(ops, opWidenUTF8)
			} else {
				ops = append(ops, opColumnType)
			}
		case "collation":
			if slices.ContainsFunc(tb.allIndexes(), func(x *Index) bool { return x.has(b.Name) }) {
				ops = append(ops, opCollationIndexed)
			} else {
				ops = append(ops, opCollation)
			}
		case "auto_increment":
			if a.AutoInc {
				ops = append(ops, opAutoIncrement)
			} else {
				ops = append(ops, opColumnType)
			}
		case "default", "comment", "on update", "invisible":
			ops = append(ops, opColumnDefault)
		case "check":
			ops = append(ops, opAddCheck)
		default:
			ops = append(ops, opColumnType)
		}
	}
	if a.Name != b.Name {
		ops = append(ops, opRenameColumn)
	}
	worst := opColumnDefault
	for _, op := range ops {
		if fl.algorithm(op) >= fl.algorithm(worst) {
			worst = op
		}
	}
	return worst
}

func typeChange(a, b *Column) operation {
	t, u := a.Type, b.Type
	switch {
	case t.isInteger() && t.Base == u.Base && t.Unsigned == u.Unsigned && t.Zerofill == u.Zerofill:
		return opColumnDefault
	case (t.Base == "varchar" || t.Base == "varbinary") && u.Base == t.Base && u.Length >= t.Length:
		width := 1
		if t.Base == "varchar" {
			width = widthOf(a.Charset)
		}
		if (t.Length*width <= 255) == (u.Length*width <= 255) {
			return opVarcharGrow
		}
	case (t.Base == "enum" || t.Base == "set") && t.Base == u.Base && appends(t.Values, u.Values):
		return opEnumAppend
	}
	return opColumnType
}

// appends reports whether the new list begins with the old one and takes as
// many bytes to number.
func appends(old, now []string) bool {
	return len(now) >= len(old) && slices.Equal(old, now[:len(old)]) && (len(old) < 256) == (len(now) < 256)
}
