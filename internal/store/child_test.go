package store_test

func childRole() func() { return nil }
