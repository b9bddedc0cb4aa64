package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/release"
	"moult/core/site"
	"moult/widgets"
)

// setting is one key of site.toml as the form shows it.
type setting struct {
	key   string // as site.ConfigError names it
	label string // a key of the translations
	hint  hint
	lines bool   // one value a line
	words []word // to choose from; nil: free text
	get   func(*site.Config) string
	set   func(*site.Config, string) error
}

// hint is what an empty field shows: an example, or words, which are a key of the
// translations.
type hint struct{ example, text string }

func (h hint) String() string {
	if h.text != "" {
		return lang.L(h.text)
	}
	return h.example
}

// word is a value of site.toml and what the form calls it.
type word struct {
	value string
	label string // a key of the translations; "": the value itself
}

func wordText(w word) string {
	if w.label == "" {
		return w.value
	}
	return lang.L(w.label)
}

// settingGroup is a part of the form.
type settingGroup struct {
	title    string                                                     // a key of the translations
	probe    func(Engine, context.Context, site.Config) (string, error) // tries the settings; nil: nothing to try
	password bool                                                       // the group has a field for a new password
	settings []setting
}

// settingGroups are all keys of site.toml that an admin sets.
var settingGroups = []settingGroup{
	{title: text("Site"), settings: []setting{
		textSetting("name", text("Name"), hint{text: text("as the list of sites shows it")}, func(c *site.Config) *string { return &c.Name }),
		pathsSetting("requires", text("Files that a release has"), hint{text: text("if one is missing, the whole release is installed anew")}, func(c *site.Config) *[]release.Path { return &c.Requires }),
	}},
	{title: text("Updates"), probe: Engine.TrySource, settings: []setting{
		textSetting("source.url", text("Update address"), hint{example: "https://updates.example.org/product/"}, func(c *site.Config) *string { return &c.Source.URL }),
		textSetting("source.channel", text("Channel"), hint{example: "stable"}, func(c *site.Config) *string { return &c.Source.Channel }),
		choiceSetting("source.arch", text("Computer"), func(c *site.Config) *string { return &c.Source.Arch },
			word{"", text("this one")}, word{value: "x86_64"}, word{value: "aarch64"}),
		choiceSetting("source.unsigned", text("Releases that nobody signed"), func(c *site.Config) *string { return &c.Source.Unsigned },
			word{"", text("are refused")}, word{"allow", text("are installed: whoever changes what the server sends changes this site")}),
		linesSetting("source.keys", text("Keys of the publisher"), hint{text: text("only for a server without signed metadata")}, func(c *site.Config) *[]string { return &c.Source.Keys }),
	}},
	{title: text("Database"), probe: Engine.TryDatabase, password: true, settings: []setting{
		textSetting("database.dsn", text("Database"), hint{text: text("user@tcp(127.0.0.1:3306)/name, without the password")}, func(c *site.Config) *string { return &c.Database.DSN }),
		textSetting("database.password_from", text("Password from"), hint{example: "prompt, keyring:NAME, env:NAME, file:.env#DB_PASSWORD"}, func(c *site.Config) *string { return &c.Database.PasswordFrom }),
	}},
	{title: text("Around an update"), settings: []setting{
		linesSetting("hooks.before", text("Commands before"), hint{example: "docker compose stop app"}, func(c *site.Config) *[]string { return &c.Hooks.Before }),
		linesSetting("hooks.after", text("Commands after"), hint{example: "docker compose start app"}, func(c *site.Config) *[]string { return &c.Hooks.After }),
		spanSetting("hooks.timeout", text("Longest time for a command"), hint{example: "2m"}, func(c *site.Config) *site.Duration { return &c.Hooks.Timeout }),
		{key: "maintenance.file", label: text("File that turns maintenance on"), hint: hint{example: "maintenance.flag"},
			get: func(c *site.Config) string { return string(c.Maintenance.File) },
			set: func(c *site.Config, s string) error { c.Maintenance.File = release.Path(s); return nil }},
	}},
	{title: text("Health check"), probe: Engine.TryHealth, settings: []setting{
		textSetting("health.url", text("Address to ask"), hint{example: "http://127.0.0.1:8080/health"}, func(c *site.Config) *string { return &c.Health.URL }),
		numberSetting("health.expect", text("Answer to expect"), hint{example: "200"}, func(c *site.Config) *int { return &c.Health.Expect }),
		numberSetting("health.attempts", text("Attempts"), hint{example: "10"}, func(c *site.Config) *int { return &c.Health.Attempts }),
		spanSetting("health.interval", text("Time between attempts"), hint{example: "3s"}, func(c *site.Config) *site.Duration { return &c.Health.Interval }),
	}},
	{title: text("Your files"), settings: []setting{
		pathsSetting("files.own", text("Never touched"), hint{example: "uploads/"}, func(c *site.Config) *[]release.Path { return &c.Files.Own }),
		choiceSetting("files.on_edited", text("Files edited here"), func(c *site.Config) *string { return &c.Files.OnEdited },
			word{"", text("ask each time")}, word{"keep", text("keep mine")}, word{"new", text("use the new ones")}),
		choiceSetting("files.switch", text("Way of switching"), func(c *site.Config) *string { return &c.Files.Switch },
			word{"", text("whole directories where much of them changes")},
			word{"tree", text("whole directories where that is possible")}, word{"file", text("file by file")}),
	}},
	{title: text("Unattended updates"), settings: []setting{
		choiceSetting("unattended.releases", text("What is installed"), func(c *site.Config) *string { return &c.Unattended.Releases },
			word{"", text("every release")}, word{"minor", text("releases of the same major version")}, word{"patch", text("patch releases only")}),
		textSetting("unattended.hours", text("At which hours"), hint{text: text("as 02:00-05:00; empty: at any time")}, func(c *site.Config) *string { return &c.Unattended.Hours }),
	}},
	{title: text("Restore points"), settings: []setting{
		numberSetting("keep.restore_points", text("How many are kept"), hint{example: "3"}, func(c *site.Config) *int { return &c.Keep.RestorePoints }),
		spanSetting("keep.max_age", text("For how long"), hint{text: text("any time")}, func(c *site.Config) *site.Duration { return &c.Keep.MaxAge }),
	}},
}

func textSetting(key, label string, hint hint, at func(*site.Config) *string) setting {
	return setting{key: key, label: label, hint: hint,
		get: func(c *site.Config) string { return *at(c) },
		set: func(c *site.Config, s string) error { *at(c) = strings.TrimSpace(s); return nil }}
}

func choiceSetting(key, label string, at func(*site.Config) *string, words ...word) setting {
	s := textSetting(key, label, hint{}, at)
	s.words = words
	return s
}

func linesSetting(key, label string, hint hint, at func(*site.Config) *[]string) setting {
	return setting{key: key, label: label, hint: hint, lines: true,
		get: func(c *site.Config) string { return strings.Join(*at(c), "\n") },
		set: func(c *site.Config, s string) error { *at(c) = filled(s); return nil }}
}

func pathsSetting(key, label string, hint hint, at func(*site.Config) *[]release.Path) setting {
	return setting{key: key, label: label, hint: hint, lines: true,
		get: func(c *site.Config) string {
			var b []string
			for _, p := range *at(c) {
				b = append(b, string(p))
			}
			return strings.Join(b, "\n")
		},
		set: func(c *site.Config, s string) error {
			*at(c) = nil
			for _, l := range filled(s) {
				p, err := release.ParsePath(l)
				if err != nil {
					return err
				}
				*at(c) = append(*at(c), p)
			}
			return nil
		}}
}

func numberSetting(key, label string, hint hint, at func(*site.Config) *int) setting {
	return setting{key: key, label: label, hint: hint,
		get: func(c *site.Config) string {
			if *at(c) == 0 {
				return ""
			}
			return strconv.Itoa(*at(c))
		},
		set: func(c *site.Config, s string) error {
			*at(c) = 0
			if s = strings.TrimSpace(s); s == "" {
				return nil
			}
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				return fmt.Errorf("%q: %s", s, lang.L("a whole number is needed"))
			}
			*at(c) = n
			return nil
		}}
}

func spanSetting(key, label string, hint hint, at func(*site.Config) *site.Duration) setting {
	return setting{key: key, label: label, hint: hint,
		get: func(c *site.Config) string {
			if *at(c) == 0 {
				return ""
			}
			return at(c).String()
		},
		set: func(c *site.Config, s string) error {
			*at(c) = 0
			if s = strings.TrimSpace(s); s == "" {
				return nil
			}
			return at(c).UnmarshalText([]byte(s))
		}}
}

// filled returns the lines of a text that are not blank.
func filled(s string) []string {
	var out []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// settingsForm edits one site's configuration.
type settingsForm struct {
	page     *page
	base     site.Config // what isn't in the form stays as it is
	values   map[string]func() string
	faults   map[string]*widget.Label
	boxes    map[string]*fyne.Container
	password *widgets.Field
	save     *widgets.Action
	modal    *modal
	column   *fyne.Container
}

// openSettings shows the settings of the site.
func (p *page) openSettings() {
	if p.app.modal != nil || p.site.engine == nil || p.site.busy() || p.site.deferred(p.openSettings) {
		return
	}
	f := newSettingsForm(p, p.site.model.Config)
	scroll := container.NewVScroll(container.NewPadded(f.column))
	scroll.SetMinSize(fyne.NewSize(620, 340))
	cancel := widgets.NewAction(lang.L("Cancel"), widget.MediumImportance, func() { f.modal.close() })
	f.save = widgets.NewAction(lang.L("Save"), widget.HighImportance, f.submit)
	widgets.InSight(scroll, f.column)
	f.modal = p.app.openModal(lang.L("Settings of {{.Name}}", vars{"Name": p.site.model.Name()}), scroll, 0, cancel, f.save)
	f.validate()
}

func newSettingsForm(p *page, c site.Config) *settingsForm {
	f := &settingsForm{page: p, base: c, values: map[string]func() string{}, faults: map[string]*widget.Label{}, boxes: map[string]*fyne.Container{}, column: container.NewVBox()}
	for _, g := range settingGroups {
		head := widget.NewLabelWithStyle(lang.L(g.title), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		rows := container.NewVBox()
		for _, s := range g.settings {
			rows.Add(f.row(s))
		}
		if g.password {
			rows.Add(f.passwordRow())
		}
		if g.probe != nil {
			rows.Add(f.probeRow(g.probe))
		}
		f.column.Add(head)
		f.column.Add(widgets.NewPanel(rows))
	}
	return f
}

// row is one setting: its name, its field, and under it what is wrong with it.
func (f *settingsForm) row(s setting) fyne.CanvasObject {
	name := widget.NewLabel(lang.L(s.label))
	name.Wrapping = fyne.TextWrapWord
	width := &minimum{size: fyne.NewSize(170, 0)}
	width.ExtendBaseWidget(width)
	fault := widget.NewLabel("")
	fault.Importance = widget.DangerImportance
	fault.Wrapping = fyne.TextWrapWord
	fault.SizeName = theme.SizeNameCaptionText
	fault.Hide()
	f.faults[s.key] = fault
	box := container.NewVBox(f.field(s), fault)
	f.boxes[s.key] = box
	return container.NewBorder(nil, nil, container.NewStack(width, name), nil, box)
}

func (f *settingsForm) field(s setting) fyne.CanvasObject {
	value := s.get(&f.base)
	if s.words != nil {
		options, selected := make([]string, len(s.words)), 0
		for i, w := range s.words {
			options[i] = wordText(w)
			if w.value == value {
				selected = i
			}
		}
		choose := widgets.NewSelect(options, nil)
		choose.SetSelectedIndex(selected)
		choose.OnChanged = func(string) { f.validate() }
		f.values[s.key] = func() string { return s.words[max(choose.SelectedIndex(), 0)].value }
		return choose
	}
	entry := widgets.NewField(s.lines)
	entry.SetPlaceHolder(s.hint.String())
	entry.SetText(value)
	entry.OnChanged = func(string) { f.validate() }
	f.values[s.key] = func() string { return entry.Text }
	return entry
}

// passwordRow keeps a password in the keyring, where site.toml may not have it.
func (f *settingsForm) passwordRow() fyne.CanvasObject {
	f.password = widgets.NewField(false)
	f.password.Password = true
	f.password.SetPlaceHolder(lang.L("leave empty to keep what is there"))
	name := widget.NewLabel(lang.L("New password"))
	width := &minimum{size: fyne.NewSize(170, 0)}
	width.ExtendBaseWidget(width)
	return container.NewBorder(nil, nil, container.NewStack(width, name), nil, f.password)
}

// probeRow tries the settings of a group as they stand in the form.
func (f *settingsForm) probeRow(probe func(Engine, context.Context, site.Config) (string, error)) fyne.CanvasObject {
	result := widget.NewLabel("")
	result.Wrapping = fyne.TextWrapWord
	var try *widgets.Action
	try = widgets.NewAction(lang.L("Try it"), widget.MediumImportance, func() {
		c, fault := f.read()
		if fault != nil {
			return
		}
		a, engine := f.page.app, f.page.site.engine
		try.Disable()
		result.Importance = widget.LowImportance
		result.SetText(lang.L("Trying…"))
		a.threads.run(func() {
			said, err := probe(engine, a.threads.ctx, c)
			a.threads.do(func() {
				try.Enable()
				result.Importance = widget.SuccessImportance
				if err != nil {
					said, result.Importance = err.Error(), widget.DangerImportance
				}
				result.SetText(say(said))
				f.column.Refresh()
			})
		})
	})
	return container.NewBorder(nil, nil, container.NewVBox(try), nil, result)
}

// read makes a configuration of the form. The error names the key it is about.
func (f *settingsForm) read() (site.Config, *site.ConfigError) {
	c := f.base
	for _, g := range settingGroups {
		for _, s := range g.settings {
			if err := s.set(&c, f.values[s.key]()); err != nil {
				return c, &site.ConfigError{Key: s.key, Err: err}
			}
		}
	}
	if err := c.Validate(); err != nil {
		var fault *site.ConfigError
		if errors.As(err, &fault) {
			return c, fault
		}
		return c, &site.ConfigError{Key: "name", Err: err}
	}
	return c, nil
}

// validate shows what is wrong, beside the field that it is about.
func (f *settingsForm) validate() {
	_, fault := f.read()
	for key, label := range f.faults {
		said := ""
		if fault != nil && (fault.Key == key || strings.HasPrefix(fault.Key, key+"[")) {
			said = say(fault.Err.Error())
		}
		if label.Text != said {
			label.SetText(said)
			setShown(label, said != "")
			f.boxes[key].Refresh()
		}
	}
	if f.save == nil {
		return
	}
	if fault == nil {
		f.save.Enable()
	} else {
		f.save.Disable()
	}
}

// submit saves the form, and the password if one was typed.
func (f *settingsForm) submit() {
	c, fault := f.read()
	if fault != nil {
		return
	}
	a := f.page.app
	f.save.Disable()
	f.page.site.configure(c, f.password.Text, func(err error) {
		f.modal.close()
		if err != nil {
			a.showError(lang.L("The settings could not be saved."), err)
		}
	})
}
