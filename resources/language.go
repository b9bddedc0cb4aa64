package resources

import (
	"embed"
	"encoding/json"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
)

//go:embed translations
var translations embed.FS

// Language is a language of the window.
type Language string

// The languages. SystemLanguage is the one of the user's locale.
const (
	SystemLanguage Language = ""
	English        Language = "en"
	Chinese        Language = "zh" // simplified
)

// UseLanguage makes the window speak l from the next screen that is built. With
// SystemLanguage the locale decides, and English stands in for Chinese where
// no font can write it.
func UseLanguage(l Language) error {
	if l == SystemLanguage {
		l = systemLanguage()
	}
	messages, err := load(l)
	if err != nil {
		return err
	}
	// Fyne picks the language that is closest to the system's locale and has no
	// call to pick another, so the chosen one is filed under that locale, and
	// under English, which Fyne falls back to where the locale is C.
	for _, locale := range []fyne.Locale{"en", lang.SystemLocale()} {
		if err := lang.AddTranslationsForLocale(messages, locale); err != nil {
			return fmt.Errorf("language %s: %w", l, err)
		}
	}
	return nil
}

func systemLanguage() Language {
	if locale := lang.SystemLocale().LanguageString(); len(locale) >= 2 && locale[:2] == string(Chinese) && HasChinese() {
		return Chinese
	}
	return English
}

// Messages returns the texts of l by key. A text with plural forms is a map of
// its forms.
func Messages(l Language) (map[string]any, error) {
	b, err := translations.ReadFile("translations/" + string(l) + ".json")
	if err != nil {
		return nil, fmt.Errorf("language %q: %w", l, err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("language %q: %w", l, err)
	}
	return m, nil
}

// load returns the messages of l as Fyne reads them. As they may be filed under
// another language's plural rules, each plural text gets both forms.
func load(l Language) ([]byte, error) {
	m, err := Messages(l)
	if err != nil {
		return nil, err
	}
	for _, text := range m {
		forms, plural := text.(map[string]any)
		if !plural {
			continue
		}
		if _, ok := forms["one"]; !ok {
			forms["one"] = forms["other"]
		}
	}
	return json.Marshal(m)
}
