"""What leaves: exports, audit trail, copies of the record, receipts; each with its reader's rights."""
