package models_test

import (
	"testing"

	"expenseflow/models"
)

// Systems have files for these names, but browsers refuse them. Each spelling of a zone was
// cached, so memory grew without bound.
func TestFilesOfTheSystemThatAreNoZonesWereTakenForZones(t *testing.T) {
	for _, name := range []string{
		"Europe//Berlin", "Europe///Berlin", "/Europe/Berlin", "Europe/Berlin/", "posix/Europe/Berlin", "right/UTC",
		"posixrules", "Factory", "localtime", "tzdata.zi", "Local", "", "../zoneinfo/UTC",
	} {
		if _, known := models.LoadZone(name); known {
			t.Errorf("%q is taken for a zone", name)
		}
	}
	for _, name := range []string{
		"UTC", "GMT", "GB-Eire", "NZ-CHAT", "W-SU", "EST5EDT", "Etc/GMT+5", "America/Port-au-Prince",
		"America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "Africa/Porto-Novo",
	} {
		if _, known := models.LoadZone(name); !known {
			t.Errorf("%q is not known", name)
		}
	}
}

func TestLettersBeyondASCIIBecameCurrencies(t *testing.T) {
	for in, want := range map[string]string{" inr ": "INR", "Usd": "USD", "\u0131nr": "\u0131NR", "u\u017fd": "U\u017fD"} {
		got := models.Draft{Currency: in}.Normalize()
		if got.Currency != want || *(models.Patch{Currency: &in}).Normalize().Currency != want {
			t.Errorf("%q is %q", in, got.Currency)
		}
	}
}
