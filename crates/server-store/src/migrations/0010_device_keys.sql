ALTER TABLE devices ADD COLUMN thumbprint TEXT;
