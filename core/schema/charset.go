package schema

import (
	"slices"
	"strings"
)

// charset is what the engine must know of a character set.
type charset struct {
	collation string // the default one where no flavor says otherwise
	width     int    // bytes of the widest character
}

// charsets are those of MySQL 5.7 to 9.7 and MariaDB 10.5 to 11.8, as their
// information_schema.character_sets lists them.
var charsets = map[string]charset{
	"armscii8": {"armscii8_general_ci", 1}, "ascii": {"ascii_general_ci", 1},
	"big5": {"big5_chinese_ci", 2}, "binary": {"binary", 1},
	"cp1250": {"cp1250_general_ci", 1}, "cp1251": {"cp1251_general_ci", 1},
	"cp1256": {"cp1256_general_ci", 1}, "cp1257": {"cp1257_general_ci", 1},
	"cp850": {"cp850_general_ci", 1}, "cp852": {"cp852_general_ci", 1},
	"cp866": {"cp866_general_ci", 1}, "cp932": {"cp932_japanese_ci", 2},
	"dec8": {"dec8_swedish_ci", 1}, "eucjpms": {"eucjpms_japanese_ci", 3},
	"euckr": {"euckr_korean_ci", 2}, "gb18030": {"gb18030_chinese_ci", 4},
	"gb2312": {"gb2312_chinese_ci", 2}, "gbk": {"gbk_chinese_ci", 2},
	"geostd8": {"geostd8_general_ci", 1}, "greek": {"greek_general_ci", 1},
	"hebrew": {"hebrew_general_ci", 1}, "hp8": {"hp8_english_ci", 1},
	"keybcs2": {"keybcs2_general_ci", 1}, "koi8r": {"koi8r_general_ci", 1},
	"koi8u": {"koi8u_general_ci", 1}, "latin1": {"latin1_swedish_ci", 1},
	"latin2": {"latin2_general_ci", 1}, "latin5": {"latin5_turkish_ci", 1},
	"latin7": {"latin7_general_ci", 1}, "macce": {"macce_general_ci", 1},
	"macroman": {"macroman_general_ci", 1}, "sjis": {"sjis_japanese_ci", 2},
	"swe7": {"swe7_swedish_ci", 1}, "tis620": {"tis620_thai_ci", 1},
	"ucs2": {"ucs2_general_ci", 2}, "ujis": {"ujis_japanese_ci", 3},
	"utf16": {"utf16_general_ci", 4}, "utf16le": {"utf16le_general_ci", 4},
	"utf32": {"utf32_general_ci", 4}, "utf8mb3": {"utf8mb3_general_ci", 3},
	"utf8mb4": {"utf8mb4_general_ci", 4},
}

// KnownCharset reports whether some server of the supported ones has the
// character set.
func KnownCharset(name string) bool {
	_, ok := charsets[canonCharset(name)]
	return ok
}

// canonCharset gives a character set its one name. MySQL 8.0.30 and MariaDB 10.6
// began to print utf8 as utf8mb3.
func canonCharset(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// canonCollation gives a collation its one name. MariaDB 10.10 takes
// uca1400_ai_ci without the character set that it belongs to.
func canonCollation(name, charset string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
	}
	if strings.HasPrefix(name, "uca1400_") && charset != "" {
		return charset + "_" + name
	}
	return name
}

// charsetOf returns the character set that a collation belongs to, "" if that
// can't be told from its name.
func charsetOf(collation string) string {
	head, _, _ := strings.Cut(collation, "_")
	if head == "uca1400" {
		return ""
	}
	return head
}

// widthOf returns the bytes of the widest character; an unknown set counts as
// the widest there is.
func widthOf(name string) int {
	if c, ok := charsets[name]; ok {
		return c.width
	}
	return 4
}

// DefaultCollation returns the collation that a character set has on a fresh
// server when none is named. MariaDB 11.5 took UCA 14.0.0 for the Unicode sets
// (its variable character_set_collations), MySQL 8.0 took UCA 9.0.0.
func (f Flavor) DefaultCollation(name string) string {
	name = canonCharset(name)
	unicode := []string{"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"}
	switch {
	case f.Vendor == TiDB && slices.Contains([]string{"utf8mb3", "utf8mb4", "latin1", "ascii"}, name):
		return name + "_bin"
	case f.Vendor == MySQL && f.AtLeast(8) && name == "utf8mb4":
		return "utf8mb4_0900_ai_ci"
	case f.Vendor == MariaDB && f.AtLeast(11, 5) && slices.Contains(unicode, name):
		return name + "_uca1400_ai_ci"
	}
	if c, ok := charsets[name]; ok {
		return c.collation
	}
	return name + "_general_ci"
}

// collationName returns a collation in the spelling that the server takes.
// utf8mb3_… is unknown before MySQL 8.0.30 and MariaDB 10.6, utf8_… after 8.0.30.
func (f Flavor) collationName(canon string) string {
	if f.newUTF8() {
		return canon
	}
	if rest, ok := strings.CutPrefix(canon, "utf8mb3_"); ok {
		return "utf8_" + rest
	}
	return canon
}

func (f Flavor) charsetName(canon string) string {
	if canon == "utf8mb3" && !f.newUTF8() {
		return "utf8"
	}
	return canon
}

func (f Flavor) newUTF8() bool {
	switch f.Vendor {
	case MySQL:
		return f.AtLeast(8, 0, 30)
	case MariaDB:
		return f.AtLeast(10, 6)
	}
	return false
}

// inherit resolves a pair of names against the pair above it: a collation alone
// implies its character set, a character set alone the server's default
// collation for it, nothing at all what stands above.
func (f Flavor) inherit(cs, coll, aboveCS, aboveColl string) (string, string) {
	cs = canonCharset(cs)
	coll = canonCollation(coll, cs)
	switch {
	case cs == "" && coll == "":
		return aboveCS, aboveColl
	case cs == "":
		if cs = charsetOf(coll); cs == "" {
			cs = aboveCS
		}
		return cs, canonCollation(coll, cs)
	case coll == "":
		return cs, f.DefaultCollation(cs)
	}
	return cs, coll
}
