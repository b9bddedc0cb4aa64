package database

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// clientCharsets are the character sets, by the servers' names, in which old
// stored programs were written. The servers' latin1 is Windows-1252.
var clientCharsets = map[string]encoding.Encoding{
	"latin1": charmap.Windows1252,
	"latin2": charmap.ISO8859_2,
	"latin5": charmap.ISO8859_9,
	"latin7": charmap.ISO8859_13,
	"greek":  charmap.ISO8859_7,
	"hebrew": charmap.ISO8859_8,
	"cp1250": charmap.Windows1250,
	"cp1251": charmap.Windows1251,
	"cp1256": charmap.Windows1256,
	"cp1257": charmap.Windows1257,
	"cp850":  charmap.CodePage850,
	"cp852":  charmap.CodePage852,
	"cp866":  charmap.CodePage866,
	"koi8r":  charmap.KOI8R,
	"koi8u":  charmap.KOI8U,
	"gbk":    simplifiedchinese.GBK,
	"big5":   traditionalchinese.Big5,
	"sjis":   japanese.ShiftJIS,
	"cp932":  japanese.ShiftJIS,
	"ujis":   japanese.EUCJP,
	"euckr":  korean.EUCKR,
}

// encode writes a statement in the character set that the session says its
// client has: the server takes our bytes for that.
func encode(statement, charset string) (string, error) {
	if charset == "" || strings.HasPrefix(charset, "utf8") || isASCII(statement) {
		return statement, nil
	}
	to, ok := clientCharsets[charset]
	if !ok {
		return "", fmt.Errorf("the statement has to be sent in the character set %s, which is not known here: %s", charset, shorten(statement, 80))
	}
	text, err := to.NewEncoder().String(statement)
	if err != nil {
		return "", fmt.Errorf("write the statement in %s: %w", charset, err)
	}
	return text, nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
