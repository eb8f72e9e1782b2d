"""Files beside the record: letters, images, print-outs. The record says what they are; their bytes lie elsewhere."""
