/** The records of calls, for reading beside the service or without one. */
export { openRecordsReader, RECORDS_FILE } from './database.ts'
export { type CallsReport, queryCalls, type RecordQuery } from './query.ts'
