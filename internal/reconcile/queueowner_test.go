package reconcile_test

import (
	"testing"
	"time"

	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// Any account that used a device's id caused the operations that its owner had queued before
// to be parked.
func TestADevicesNameThatAnotherAccountUsesHoldsUpNothing(t *testing.T) {
	each(t, func(h *fixture) {
		mallory := storetest.User(h.t, h.store).ID
		h.apply(create(0, lunch)) // the owner acts at noon, and goes offline
		h.setClock(noon.Add(2 * time.Hour))
		by := models.Author{DeviceID: device, Browser: "mallory's"}
		for range 3 {
			if _, err := h.Delta(h.t.Context(), mallory, by,
				[]models.DeltaChange{change(0, models.Create, "1", "", lunch, 0)}); err != nil {
				h.t.Fatal(err)
			}
			if _, err := h.Apply(h.t.Context(), mallory, models.Author{},
				[]models.Operation{create(1, `{"amount":"refused"}`)}); err != nil {
				h.t.Fatal(err)
			}
		}
		h.setClock(noon.Add(3 * time.Hour))
		queued := noon.Add(time.Hour).Sub(nine).Milliseconds()
		for name, author := range map[string]models.Author{
			"with the cookie":                    {Browser: browser},
			"without, signed in before":          {TokenIssued: noon},
			"without, signed in again meanwhile": {TokenIssued: noon.Add(2 * time.Hour)},
		} {
			queued++
			rs, err := h.Apply(h.t.Context(), h.user.ID, author, []models.Operation{create(queued, lunch)})
			if err != nil || rs[0].Status != models.StatusCreated {
				h.t.Errorf("%s: %+v, %v", name, rs, err)
			}
			author.DeviceID = device
			ds, err := h.Delta(h.t.Context(), h.user.ID, author, []models.DeltaChange{change(queued, models.Create, "7", "", lunch, 0)})
			if err != nil || ds[0].Error != "" {
				h.t.Errorf("%s, delta: %+v, %v", name, ds, err)
			}
		}
	})
}

// Ten users whose client calls every device "web": 90 of 100 operations were parked.
func TestTenUsersOfOneDeviceNameKeepTheirQueues(t *testing.T) {
	each(t, func(h *fixture) {
		for i := range 10 {
			id := storetest.User(h.t, h.store).ID
			h.setClock(noon.Add(time.Duration(i) * time.Minute))
			for n := range 10 {
				queued := noon.Add(time.Duration(i-1)*time.Minute).Sub(nine).Milliseconds() + int64(n)
				rs, err := h.Apply(h.t.Context(), id, models.Author{TokenIssued: noon.Add(-time.Hour)},
					[]models.Operation{of("web", create(queued, lunch))})
				if err != nil || rs[0].Status != models.StatusCreated {
					h.t.Errorf("user %d, operation %d: %+v, %v", i, n, rs, err)
				}
			}
		}
	})
}

// Without a cookie, what another account is known to have queued is still set aside: it
// is older than the sign-in of who brings it, who never used the device before.
func TestWithoutACookieTheQueueOfAnAccountBeforeIsParked(t *testing.T) {
	each(t, func(h *fixture) {
		bob := storetest.User(h.t, h.store).ID
		if _, err := h.Apply(h.t.Context(), h.user.ID, models.Author{}, []models.Operation{create(0, lunch)}); err != nil {
			h.t.Fatal(err)
		}
		h.setClock(noon.Add(2 * time.Hour))
		by := models.Author{TokenIssued: noon.Add(time.Hour)}
		before, after := noon.Add(time.Minute).Sub(nine).Milliseconds(), noon.Add(90*time.Minute).Sub(nine).Milliseconds()
		rs, err := h.Apply(h.t.Context(), bob, by, []models.Operation{
			create(before, lunch), create(after, lunch),
			of("unknown", create(before, lunch)),
		})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusParked, models.StatusCreated, models.StatusCreated)
	})
}
