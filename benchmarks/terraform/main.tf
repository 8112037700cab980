# The stack of inventories/uda in Terraform: the same resources, for a comparison of plans on the same emulator.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

# The endpoint comes from AWS_ENDPOINT_URL, the keys from the environment.
provider "aws" {
  region                      = "ap-northeast-1"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = true
  default_tags { tags = { Stack = "uda", Environment = "dev", ManagedBy = "terraform" } }
}

variable "image_id" { type = string } # the golden image; Terraform makes none
variable "public_key" { type = string }

locals {
  operator = "203.0.113.10/32"
  subnets = {
    public_1  = { name = "uda_subnet_public", cidr = "10.0.0.0/24", az = "ap-northeast-1a", public = true }
    public_2  = { name = "uda_subnet_public_2", cidr = "10.0.3.0/24", az = "ap-northeast-1c", public = true }
    private_1 = { name = "uda_subnet_private_1", cidr = "10.0.1.0/24", az = "ap-northeast-1c", public = false }
    private_2 = { name = "uda_subnet_private_2", cidr = "10.0.2.0/24", az = "ap-northeast-1d", public = false }
  }
}
