package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/mongodump/dumptest"
)

var (
	texts = []string{
		"Lunch", "Bus ticket", "Cinema with friends", "Electricity", "Pharmacy", "Shoes for the winter", "Something else",
	}
	categories = []string{"food", "transport", "entertainment", "utilities", "healthcare", "shopping", "other"}
)

// writeDump writes an archive of made-up users and expenses, the expenses of all users mixed.
func writeDump(path string, expenses, users int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	archive := dumptest.NewArchive(out, "expenseflow", "users", "expenses")
	began := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := make([]bson.ObjectID, users)
	for i := range ids {
		ids[i] = bson.NewObjectIDFromTimestamp(began)
		archive.Add("users", bson.D{
			{Key: "_id", Value: ids[i]},
			{Key: "name", Value: fmt.Sprintf("User %d", i)},
			{Key: "email", Value: fmt.Sprintf("user%d@example.org", i)},
			{Key: "password", Value: "$2a$12$6NcEY0SfoijgVXxxmYMNXOnHHCxQ2Jz1YRj4NMwRYWYoVnLZiqyXC"},
			{Key: "createdAt", Value: began},
		})
	}
	for i := range expenses {
		at := began.Add(time.Duration(i) * time.Minute)
		archive.Add("expenses", expense(i, ids[i*7%users], at))
	}
	return errors.Join(archive.Close(), out.Flush(), f.Close())
}

func expense(i int, user bson.ObjectID, at time.Time) bson.D {
	amount := float64(i%90_000+1) / 100
	return bson.D{
		{Key: "_id", Value: bson.NewObjectIDFromTimestamp(at)},
		{Key: "user", Value: user},
		{Key: "description", Value: texts[i%len(texts)]},
		{Key: "amount", Value: amount},
		{Key: "originalAmount", Value: amount},
		{Key: "originalCurrency", Value: "INR"},
		{Key: "category", Value: categories[i%len(categories)]},
		{Key: "type", Value: "expense"},
		{Key: "merchant", Value: ""},
		{Key: "date", Value: at},
		{Key: "workspace", Value: nil},
		{Key: "addedBy", Value: user},
		{Key: "isPrivate", Value: false},
		{Key: "createdAt", Value: at},
		{Key: "updatedAt", Value: at},
		{Key: "__v", Value: int32(0)},
	}
}
