package app

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2/lang"

	"moult/app/words"
	"moult/core/update"
	"moult/resources"
)

// explain turns an error into a sentence and an advice, in the window's language.
func explain(err error) (what, advice string) {
	x := words.Explain(err)
	if x.What == "" {
		return lang.L("Something unexpected went wrong."), lang.L("The details below may say more.")
	}
	return lang.L(x.What), lang.L(x.Advice)
}

// explainKind is explain for an outcome that was read from the history.
func explainKind(k update.Kind) (what, advice string) {
	return explain(&update.Error{Kind: k, Err: errors.New("")})
}

// say puts a text of core into the window's language. English texts stay as they
// are: they are no keys of the English translations, and Fyne complains of each key
// that it lacks.
func say(text string) string {
	text = plain(text)
	if resources.Language(lang.L("en")) == resources.English {
		return text
	}
	return words.Translate(text, func(phrase string) string { return lang.L(phrase) })
}

// sentence is a text of core as a sentence of its own: core leaves out the capital
// letter and the full stop of texts that may also stand within others.
func sentence(text string) string {
	text = plain(text)
	first, size := utf8.DecodeRuneInString(text)
	return say(words.Sentence(string(unicode.ToUpper(first)) + text[size:]))
}

// hazardCode is the name of a rule that begins a warning or a refusal, which means
// nothing to an admin.
var hazardCode = regexp.MustCompile(`(^|: )[A-Z]\d{1,2}: `)

// plain takes such names out of a text.
func plain(text string) string { return hazardCode.ReplaceAllString(text, "$1") }

// readLine puts a line of a log into the window's language, behind its time.
func readLine(line string) string {
	when, text, found := strings.Cut(line, " ")
	if !found {
		return line
	}
	return when + " " + say(text)
}
