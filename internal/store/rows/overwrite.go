package rows

import "gorm.io/gorm/clause"

// Overwrite is for an insert of rows that may be there: then their columns are overwritten,
// all or those named. Not UpdateAll, which writes the clock of this process into updated_at.
func Overwrite(row any, columns ...string) clause.OnConflict {
	t := Of(row)
	if len(columns) == 0 {
		for _, c := range t.Columns {
			columns = append(columns, c.Name)
		}
	}
	on := clause.OnConflict{DoUpdates: clause.AssignmentColumns(columns)}
	for _, name := range t.KeyColumns() {
		on.Columns = append(on.Columns, clause.Column{Name: name})
	}
	return on
}
