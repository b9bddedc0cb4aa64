package words

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"moult/core/site"
	"moult/core/update"
)

// Explanation is an error in words.
type Explanation struct {
	What   string // one sentence: what happened; "" if only Detail says it
	Detail string // core's own text with the thing and the place; "" if What says it all
	Advice string // one sentence: what to do next; "" if there is nothing to say
}

// sentence is a row of the table of kinds.
type sentence struct{ what, advice string }

var sentences = map[update.Kind]sentence{
	update.KindIO:             {"A file could not be read or written.", "Look at the disk and the file that is named, then try again."},
	update.KindPath:           {"A path in the site is not what Moult expects.", "Put the path that is named right, then try again."},
	update.KindPermission:     {"Moult is not allowed to do this.", "Run Moult as the owner of the site, or change the rights of the path that is named."},
	update.KindDiskFull:       {"The disk is full.", "Free some space or discard old restore points, then try again."},
	update.KindAtomic:         {"A file could not be exchanged in one step.", "Make sure that the site lies on one local disk, then try again."},
	update.KindDownload:       {"The download did not finish.", "Check the network connection and try again; what has arrived is kept."},
	update.KindHTTP:           {"The publisher's server answered with an error.", "Try again later, or check the update address."},
	update.KindVerification:   {"What is there is not what the release promises.", "Look at what the detail names. If nobody else has changed it, tell the publisher."},
	update.KindExtraction:     {"The package could not be unpacked.", "Check again so that it is fetched anew; if that does not help, tell the publisher."},
	update.KindMalformed:      {"Something that Moult has to read is malformed.", "Correct what is named, or tell the publisher when it came from there."},
	update.KindHash:           {"The package is not the one that the publisher announced.", "Do not install it. Check again; if it happens twice, tell the publisher."},
	update.KindSignature:      {"The signature does not match the publisher's key.", "Do not install it. Ask the publisher whether the key was changed."},
	update.KindUntrusted:      {"The update address is not trusted for this site.", "Do not install from it. Compare the fingerprint with the publisher's."},
	update.KindExpired:        {"Nothing proves that this is the newest release: the signed metadata has expired.", "Ask the publisher to renew it, and check this machine's clock."},
	update.KindUnsupported:    {"The release asks for something that can't be done here.", "Read the detail; a newer Moult or another package may be needed."},
	update.KindNoBackup:       {"There is no restore point to go back to.", "Look at the history for one that is still there."},
	update.KindNoSource:       {"This site has no update address.", "Set one in the site's settings."},
	update.KindRollbackFailed: {"Going back did not finish.", "Remove the cause that is named, then choose Roll back again: it goes on where it stopped."},
	update.KindDatabase:       {"The database did not do what was asked.", "See that the server runs and that the account may do this, then try again."},
	update.KindMigration:      {"A change of the schema failed.", "Read the statement and the server's answer in the detail."},
	update.KindHook:           {"A command of this site's settings failed.", "Read its output, correct the command, then try again."},
	update.KindUnhealthy:      {"The site did not pass its health check.", "Look at the site's own log for the reason."},
	update.KindLocked:         {"Another process is working on this site.", "Wait until it is done, or end it."},
	update.KindCancelled:      {"Cancelled.", "Start again whenever you like."},
	update.KindUndecided:      {"A question has to be answered first.", "Decide about the files that were edited here."},
	update.KindInterrupted:    {"An earlier run was interrupted.", "Finish or undo it first."},
	update.KindNotOffered:     {"The publisher does not offer this.", "Look at the version and the channel that are named."},
	update.KindUnknown:        {"Which release is installed could not be found out.", "Name the installed version; on the command line with --version."},
	update.KindPassword:       {"The database's password is not to be had.", "Say where it is: in a file, an environment variable or the keyring."},
	update.KindBlocked:        {"A check before the update found something in the way.", "Put it right, then check again."},
}

// notSite explains a directory that is not under care, whatever was tried there.
var notSite = sentence{"This directory is not a site that Moult looks after.", "Add it as a site, or choose another directory."}

// Explain puts err into words. An error without a kind has no sentence but its own
// text.
func Explain(err error) Explanation {
	if errors.Is(err, site.ErrNotSite) {
		return Explanation{What: notSite.what, Detail: err.Error(), Advice: notSite.advice}
	}
	s, known := sentences[update.KindOf(err)]
	if !known {
		return Explanation{Detail: err.Error()}
	}
	x := Explanation{What: s.what, Advice: s.advice}
	var e *update.Error
	if errors.As(err, &e) {
		x.Detail = e.Error()
	}
	return x
}

// String joins the explanation into one paragraph.
func (x Explanation) String() string {
	parts := slices.DeleteFunc([]string{x.What, Sentence(x.Detail), x.Advice}, func(s string) bool { return s == "" })
	return strings.Join(parts, " ")
}

// Sentence ends text with a full stop unless it ends in punctuation already or
// has several lines.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	if text == "" || strings.Contains(text, "\n") || strings.ContainsRune(".!?…", last) {
		return text
	}
	return text + "."
}
