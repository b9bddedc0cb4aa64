package parse

import (
	"strconv"
	"strings"

	"moult/core/schema"
)

// tableOptionWords are the options of CREATE TABLE whose "=" may be left out,
// from the manuals of MySQL 9, MariaDB 11 and TiDB 8. Those of two words come
// first.
var tableOptionWords = [][]string{
	{"DATA", "DIRECTORY"}, {"INDEX", "DIRECTORY"},
	{"AUTOEXTEND_SIZE"}, {"AUTO_INCREMENT"}, {"AVG_ROW_LENGTH"}, {"CHECKSUM"}, {"TABLE_CHECKSUM"}, {"COMPRESSION"}, {"CONNECTION"},
	{"DELAY_KEY_WRITE"}, {"ENCRYPTED"}, {"ENCRYPTION"}, {"ENCRYPTION_KEY_ID"}, {"ENGINE_ATTRIBUTE"}, {"IETF_QUOTES"}, {"INSERT_METHOD"},
	{"KEY_BLOCK_SIZE"}, {"MAX_ROWS"}, {"MIN_ROWS"}, {"PACK_KEYS"}, {"PAGE_CHECKSUM"}, {"PAGE_COMPRESSED"}, {"PAGE_COMPRESSION_LEVEL"},
	{"PASSWORD"}, {"ROW_FORMAT"}, {"SECONDARY_ENGINE"}, {"SECONDARY_ENGINE_ATTRIBUTE"}, {"SEQUENCE"}, {"STATS_AUTO_RECALC"},
	{"STATS_PERSISTENT"}, {"STATS_SAMPLE_PAGES"}, {"STORAGE"}, {"TABLESPACE"}, {"TRANSACTIONAL"}, {"UNION"},
}

// tidbOptionWords are those that only TiDB knows.
var tidbOptionWords = [][]string{
	{"PLACEMENT", "POLICY"}, {"SHARD_ROW_ID_BITS"}, {"PRE_SPLIT_REGIONS"}, {"AUTO_ID_CACHE"}, {"AUTO_RANDOM_BASE"}, {"TTL"}, {"TTL_ENABLE"}, {"TTL_JOB_INTERVAL"},
}

// tableOptions reads the options of a table as far as they go.
func (c *cursor) tableOptions(t *schema.Table) {
	for {
		c.accept(",")
		if !c.tableOption(t) {
			return
		}
	}
}

// tableOption reads one option, and reports whether there was one.
func (c *cursor) tableOption(t *schema.Table) bool {
	switch {
	case c.is("DEFAULT", "CHARACTER", "SET"), c.is("DEFAULT", "CHARSET"), c.is("DEFAULT", "CHAR", "SET"), c.is("DEFAULT", "COLLATE"):
		c.i++
		return c.tableOption(t)
	case c.accept("CHARACTER", "SET"), c.accept("CHAR", "SET"), c.accept("CHARSET"):
		c.accept("=")
		t.Charset = strings.ToLower(c.charsetName())
		if t.Charset == "default" {
			t.Charset = ""
		}
	case c.accept("COLLATE"):
		c.accept("=")
		t.Collation = strings.ToLower(c.charsetName())
	case c.accept("COMMENT"):
		c.accept("=")
		t.Comment = c.string("COMMENT")
	case c.accept("ENGINE"), c.accept("TYPE"), c.accept("STORAGE", "ENGINE"):
		c.accept("=")
		if c.tok().kind == str {
			t.Engine = c.string("ENGINE")
		} else {
			t.Engine = c.name("an engine")
		}
	case c.is("WITH", "SYSTEM", "VERSIONING"):
		c.needs(versioning, c.i)
		c.i += 3
		t.SystemVer = true
	case c.accept("START", "TRANSACTION"):
	default:
		return c.plainOption(t)
	}
	return true
}

// plainOption reads an option that the model keeps as a key and a value.
func (c *cursor) plainOption(t *schema.Table) bool {
	key := c.optionKey(tableOptionWords)
	if key == "" && c.fl.Vendor == schema.TiDB {
		key = c.optionKey(tidbOptionWords)
	}
	if key == "" {
		// Engines of MariaDB bring options of their own, which want "=".
		if !c.isName() || !c.ahead(1).matches("=") {
			return false
		}
		if c.fl.Vendor != schema.MariaDB {
			c.fail("%s is no option of a table", c.tok().text)
		}
		key = strings.ToUpper(c.next().text)
	}
	c.accept("=")
	at := c.i
	value := c.optionValue(key)
	if key == "SEQUENCE" && value != "0" {
		c.failAt(at, "a sequence in the shape of a table, with its numbers in a row: write CREATE SEQUENCE")
	}
	if key == "AUTOEXTEND_SIZE" {
		value = size(value)
	}
	setOption(t, key, value)
	return true
}

// size writes a size without its unit, as servers print it.
func size(s string) string {
	shift := map[string]uint{"K": 10, "M": 20, "G": 30}[strings.ToUpper(s[max(0, len(s)-1):])]
	n, err := strconv.ParseInt(strings.TrimRight(s, "kKmMgG"), 10, 64)
	if err != nil {
		return s
	}
	return strconv.FormatInt(n<<shift, 10)
}

// optionKey reads the words of an option, "" if none of them is next.
func (c *cursor) optionKey(known [][]string) string {
	for _, w := range known {
		if c.accept(w...) {
			return strings.Join(w, " ")
		}
	}
	return ""
}

// setOption puts an option into a table; the last one said counts.
func setOption(t *schema.Table, key, value string) {
	for i := range t.Options {
		if t.Options[i].Key == key {
			t.Options[i].Value = value
			return
		}
	}
	t.Options = append(t.Options, schema.Option{Key: key, Value: value})
}

// optionValue reads a value: texts decoded, words and numbers as written, lists
// with their parentheses.
func (c *cursor) optionValue(key string) string {
	switch t := c.tok(); {
	case t.kind == str:
		return c.string(key)
	case c.is("("):
		from := c.i
		c.parens()
		return c.source(from, c.i)
	case key == "TTL":
		from := c.i
		for c.isName() || c.tok().kind == number || c.tok().kind == str || c.is("+") {
			if c.isAny("TTL_ENABLE", "TTL_JOB_INTERVAL", "COMMENT", "ENGINE", "PARTITION", "PLACEMENT") {
				break
			}
			c.i++
		}
		return c.source(from, c.i)
	case t.kind == number, t.kind == hexa, t.kind == word, t.kind == quoted:
		c.i++
		if t.kind == quoted {
			return t.text
		}
		return c.st.Text[t.start:t.end]
	case c.is("-") && c.ahead(1).kind == number:
		c.i += 2
		return "-" + c.toks[c.i-1].text
	}
	c.fail("%s wants a value", key)
	return ""
}
