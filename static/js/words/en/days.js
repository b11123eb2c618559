/** Days and times in words. */
export const days = {
  'day.today': 'Today',
  'day.yesterday': 'Yesterday',
  'day.moment': '{day}, {time}',
};
