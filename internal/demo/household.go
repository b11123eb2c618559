package demo

import "expenseflow/models"

// An entry is one that is made on a day: of the month in regular, of the trip in trip, after
// today in single. It costs from hundredths of the currency, or up to to of them.
type entry struct {
	day            int
	text, merchant string
	category       string
	from, to       int
	income         bool
	currency       string // "" is that of home
	notes          string
	tags           models.Tags
}

// A habit is bought again after some days, from every[0] to every[1].
type habit struct {
	every    [2]int
	category string
	income   bool
	choices  []entry
}

// regular comes every month.
var regular = []entry{
	{day: 1, text: "Rent", category: "bills", from: 1180_00},
	{day: 1, text: "Monthly ticket", merchant: "City transport", category: "transport", from: 58_00},
	{day: 4, text: "Electricity", merchant: "Riverside Power", category: "utilities", from: 58_00, to: 79_00},
	{day: 6, text: "Internet", merchant: "Northline", category: "utilities", from: 39_90},
	{day: 8, text: "Mobile phone", merchant: "Northline", category: "utilities", from: 14_99},
	{day: 12, text: "Gym", merchant: "Old Mill Gym", category: "healthcare", from: 29_00},
	{day: 15, text: "Music streaming", category: "entertainment", from: 10_99},
	{day: 21, text: "Home insurance", category: "bills", from: 18_40},
	{day: 27, text: "Salary", category: "salary", from: 3450_00, income: true},
}

var habits = []habit{
	{every: [2]int{2, 4}, category: "food", choices: []entry{
		{text: "Groceries", merchant: "Corner Market", from: 18_00, to: 74_00},
		{text: "Groceries", merchant: "Greenleaf", from: 22_00, to: 92_00},
		{text: "Vegetables", merchant: "Saturday market", from: 9_00, to: 26_00},
		{text: "Bread", merchant: "Bakery Lindner", from: 3_20, to: 8_50},
	}},
	{every: [2]int{1, 3}, category: "food", choices: []entry{
		{text: "Coffee", merchant: "Café Aurora", from: 2_80, to: 5_60},
		{text: "Coffee and cake", merchant: "Café Aurora", from: 6_20, to: 9_80},
	}},
	{every: [2]int{2, 5}, category: "food", choices: []entry{
		{text: "Lunch", merchant: "Noodle House", from: 8_50, to: 14_50},
		{text: "Lunch", merchant: "Canteen", from: 6_40, to: 8_90},
		{text: "Sandwich", merchant: "Bakery Lindner", from: 4_20, to: 6_90},
	}},
	{every: [2]int{8, 14}, category: "food", choices: []entry{
		{text: "Dinner", merchant: "Trattoria Luna", from: 28_00, to: 68_00},
		{text: "Pizza with friends", merchant: "Trattoria Luna", from: 18_00, to: 36_00, tags: "friends"},
		{text: "Dinner", merchant: "Harbour Grill", from: 34_00, to: 72_00},
	}},
	{every: [2]int{12, 24}, category: "shopping", choices: []entry{
		{text: "Books", merchant: "Page & Co", from: 12_00, to: 42_00},
		{text: "Shoes", from: 69_00, to: 139_00},
		{text: "Desk lamp", from: 39_00, to: 64_00},
		{text: "T-shirts", from: 24_00, to: 49_00},
		{text: "Kitchen things", from: 18_00, to: 75_00},
		{text: "Plants", merchant: "Garden Centre", from: 11_00, to: 38_00},
	}},
	{every: [2]int{9, 18}, category: "entertainment", choices: []entry{
		{text: "Cinema", merchant: "Lumen", from: 11_00, to: 28_00},
		{text: "Museum", from: 9_00, to: 18_00},
		{text: "Concert", from: 32_00, to: 65_00},
		{text: "Bowling", from: 14_00, to: 30_00},
	}},
	{every: [2]int{25, 50}, category: "healthcare", choices: []entry{
		{text: "Pharmacy", from: 6_50, to: 31_00}, {text: "Dentist", from: 45_00, to: 120_00}, {text: "Glasses cleaned", from: 12_00},
	}},
	{every: [2]int{14, 28}, category: "transport", choices: []entry{
		{text: "Train ticket", from: 19_00, to: 64_00},
		{text: "Taxi", from: 11_00, to: 32_00},
		{text: "Bicycle repaired", merchant: "Spoke & Wheel", from: 22_00, to: 85_00},
	}},
	{every: [2]int{55, 90}, category: "education", choices: []entry{
		{text: "Language course", from: 89_00, to: 149_00}, {text: "Online course", from: 25_00, to: 60_00},
	}},
	{every: [2]int{18, 36}, category: "other", choices: []entry{
		{text: "Haircut", merchant: "Salon Mira", from: 28_00, to: 42_00},
		{text: "Birthday present", from: 20_00, to: 60_00, tags: "presents"},
		{text: "Donation", from: 15_00, to: 40_00},
	}},
	{every: [2]int{40, 70}, category: "freelance", income: true, choices: []entry{
		{text: "Website for the bakery", merchant: "Bakery Lindner", from: 240_00, to: 620_00},
		{text: "Translation", from: 120_00, to: 380_00},
	}},
	{every: [2]int{85, 95}, category: "investment", income: true, choices: []entry{{text: "Dividends", from: 38_00, to: 96_00}}},
}

// journey is the tag of the trip.
const journey = "japan"

// trip is a journey to another currency.
var trip = []entry{
	{day: -62, text: "Flight to Tokyo", category: "travel", from: 742_00, notes: "Two bags included", tags: journey},
	{day: 0, text: "Train from the airport", category: "travel", from: 3250_00, currency: tripMoney, tags: journey},
	{day: 0, text: "Ramen", category: "food", from: 1180_00, currency: tripMoney, tags: journey},
	{day: 1, text: "Hotel in Tokyo", category: "travel", from: 46800_00, currency: tripMoney, notes: "Four nights", tags: journey},
	{day: 1, text: "Museum", category: "entertainment", from: 1600_00, currency: tripMoney, tags: journey},
	{day: 2, text: "Sushi", category: "food", from: 3420_00, currency: tripMoney, tags: journey},
	{day: 3, text: "Stationery", category: "shopping", from: 2860_00, currency: tripMoney, tags: journey},
	{day: 4, text: "Train to Kyoto", category: "travel", from: 13970_00, currency: tripMoney, tags: journey},
	{
		day: 4, text: "Inn in Kyoto", category: "travel", from: 52000_00, currency: tripMoney, notes: "Four nights, breakfast",
		tags: journey,
	},
	{day: 5, text: "Temple garden", category: "entertainment", from: 600_00, currency: tripMoney, tags: journey},
	{day: 6, text: "Tea and sweets", category: "food", from: 1450_00, currency: tripMoney, tags: journey},
	{day: 7, text: "Presents", category: "shopping", from: 8740_00, currency: tripMoney, tags: journey},
	{day: 8, text: "Dinner", category: "food", from: 5200_00, currency: tripMoney, tags: journey},
}

// single is of today and of the time to come.
var single = []entry{
	{day: 0, text: "Groceries", merchant: "Greenleaf", category: "food", from: 63_40},
	{day: 0, text: "Coffee", merchant: "Café Aurora", category: "food", from: 3_90},
	{day: 9, text: "Concert tickets", category: "entertainment", from: 84_00, tags: "friends"},
	{day: 16, text: "Train to the mountains", category: "travel", from: 129_80, notes: "Window seats", tags: "mountains"},
	{day: 17, text: sharedEntry, category: "travel", from: 380_00, tags: "mountains"},
}

// sharedEntry is the text of the entry that the second person has too.
const sharedEntry = "Cabin in the mountains"
