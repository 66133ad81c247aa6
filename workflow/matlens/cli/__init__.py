"""Commands for users: status, resume, check_profile, convert_cgcnn."""
